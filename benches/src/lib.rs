//! Speed beside public references.
