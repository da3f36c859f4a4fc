//! Stages around those of the published pipeline that mend two of its defects. Each would make most
//! histories from Holocene on incomparable.
//!
//! - A dropped span batch ends the reading of its L1 block, and the next L1 block is not read at all:
//!   [`kona_derive::BatchStream`] reports the end of data where it should report that there may be more.
//! - The parent hash of a singular batch is not checked, but replaced by the right one.

use async_trait::async_trait;
use kona_derive::{
    BatchStreamProvider, NextBatchProvider, OriginAdvancer, OriginProvider, PipelineError,
    PipelineErrorKind, PipelineResult, Signal, SignalReceiver,
};
use kona_protocol::{Batch, BlockInfo, L2BlockInfo};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// What happened below the stream during one call.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    flushed: Arc<AtomicBool>,
    singular: Arc<AtomicBool>,
}

/// The stage that reads channels, with notes.
#[derive(Debug)]
pub struct Reader<P> {
    /// The published stage.
    pub inner: P,
    /// For the stage above the next one.
    pub notes: Notes,
}

/// The stage that streams spans, corrected by the notes.
#[derive(Debug)]
pub struct Stream<P> {
    /// The published stage.
    pub inner: P,
    /// From the stage below.
    pub notes: Notes,
    /// Seconds between two L2 blocks.
    pub block_time: u64,
    /// When Holocene activates.
    pub holocene_time: Option<u64>,
}

#[async_trait]
impl<P: BatchStreamProvider + Send> BatchStreamProvider for Reader<P> {
    async fn next_batch(&mut self) -> PipelineResult<Batch> {
        let batch = self.inner.next_batch().await?;
        self.notes.singular.store(matches!(batch, Batch::Single(_)), Ordering::Relaxed);
        Ok(batch)
    }

    fn flush(&mut self) {
        self.notes.flushed.store(true, Ordering::Relaxed);
        self.inner.flush();
    }
}

#[async_trait]
impl<P: NextBatchProvider + OriginProvider + Send> NextBatchProvider for Stream<P> {
    async fn next_batch(
        &mut self,
        parent: L2BlockInfo,
        l1_origins: &[BlockInfo],
    ) -> PipelineResult<Batch> {
        self.notes.flushed.store(false, Ordering::Relaxed);
        self.notes.singular.store(false, Ordering::Relaxed);
        let is_holocene = self
            .holocene_time
            .zip(self.inner.origin())
            .is_some_and(|(time, origin)| origin.timestamp >= time);
        match self.inner.next_batch(parent, l1_origins).await {
            Err(PipelineErrorKind::Temporary(PipelineError::Eof))
                if self.notes.flushed.load(Ordering::Relaxed) =>
            {
                Err(PipelineError::NotEnoughData.temp())
            }
            Ok(Batch::Single(mut batch))
                if is_holocene
                    && self.notes.singular.load(Ordering::Relaxed)
                    && batch.timestamp == parent.block_info.timestamp + self.block_time
                    && batch.parent_hash != parent.block_info.hash =>
            {
                // Something that the next stage does check.
                batch.epoch_num = u64::MAX / 2;
                Ok(Batch::Single(batch))
            }
            other => other,
        }
    }

    fn span_buffer_size(&self) -> usize {
        self.inner.span_buffer_size()
    }

    fn flush(&mut self) {
        self.inner.flush();
    }
}

macro_rules! pass_through {
    ($stage:ident) => {
        #[async_trait]
        impl<P: OriginAdvancer + Send> OriginAdvancer for $stage<P> {
            async fn advance_origin(&mut self) -> PipelineResult<()> {
                self.inner.advance_origin().await
            }
        }

        impl<P: OriginProvider> OriginProvider for $stage<P> {
            fn origin(&self) -> Option<BlockInfo> {
                self.inner.origin()
            }
        }

        #[async_trait]
        impl<P: SignalReceiver + Send> SignalReceiver for $stage<P> {
            async fn signal(&mut self, signal: Signal) -> PipelineResult<()> {
                self.inner.signal(signal).await
            }
        }
    };
}

pass_through!(Reader);
pass_through!(Stream);
