//! The host side of the program: recorded witnesses, hint routes, precompile results.
