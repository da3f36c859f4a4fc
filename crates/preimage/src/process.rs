//! A preimage server as a child process, and the oracle at the other end of its pipes.
//!
//! The child finds the pipes as its descriptors 3 to 6 (see [`Pipes`]) and `NO_COLOR=1` in its
//! environment. What it writes to its standard output and error goes line by line to `tracing`,
//! with the fields `module = "host"` and `stream`.
//!
//! A server may take as long as it needs, since it may have to fetch data from slow nodes; silence
//! is logged. What ends the wait is the child's end, an interrupt, or a deadline where one is set.

use crate::{
    Channel, ChannelError, ClientOracle, OracleError, Pipes, PipesError, PreimageKey,
    PreimageOracle, VALUE_LIMIT_BYTES, VerifyingOracle,
    pipes::{FileChannel, HINT_DESCRIPTORS, PREIMAGE_DESCRIPTORS},
};
use command_fds::{CommandFdExt, FdMapping};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, Signal, kill_process},
};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

mod log;

/// How often a waiting client looks whether the server is still there.
const TICK: Duration = Duration::from_millis(50);
/// How often a silent server is mentioned.
const SILENCE: Duration = Duration::from_secs(15);
/// How long a server whose pipes have closed may take to end.
const END_AFTER_CLOSE: Duration = Duration::from_secs(1);

/// Why a server process cannot be started or ended.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The command line is empty.
    #[error("the preimage server's command is empty")]
    Empty,
    /// The pipes cannot be made.
    #[error(transparent)]
    Pipes(#[from] PipesError),
    /// The pipes cannot be given to the child, or cannot be made non-blocking.
    #[error("the preimage server's pipes cannot be set up: {0}")]
    SetUp(io::Error),
    /// The program cannot be started.
    #[error("the preimage server {program:?} cannot be started: {source}")]
    Start {
        /// Word 0 of the command.
        program: OsString,
        /// What the system says.
        source: io::Error,
    },
    /// The child's status cannot be had.
    #[error("the preimage server cannot be waited for: {0}")]
    Wait(io::Error),
}

/// How patiently a server is ended: it is first left alone, then its pipes are closed, then it
/// receives SIGINT, then SIGKILL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishTimes {
    /// Wait before the pipes are closed.
    pub before_close: Duration,
    /// Wait between closing and SIGINT.
    pub before_interrupt: Duration,
    /// Wait between SIGINT and SIGKILL.
    pub before_kill: Duration,
}

impl Default for FinishTimes {
    fn default() -> Self {
        Self {
            before_close: Duration::from_secs(1),
            before_interrupt: Duration::from_secs(30),
            before_kill: Duration::from_secs(30),
        }
    }
}

/// Settings of a server process.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    /// Gives up on a server that neither takes nor gives a byte for this long. `None`, the default,
    /// waits as long as it lives.
    pub deadline: Option<Duration>,
    /// Gives up as soon as this becomes true.
    pub interrupt: Option<Arc<AtomicBool>>,
    /// The longest value taken from the server, in bytes.
    pub value_limit_bytes: usize,
    /// How [`ProcessOracle::finish`] waits.
    pub finish: FinishTimes,
}

impl Default for ProcessOptions {
    fn default() -> Self {
        Self {
            deadline: None,
            interrupt: None,
            value_limit_bytes: VALUE_LIMIT_BYTES,
            finish: FinishTimes::default(),
        }
    }
}

/// The oracle behind a server process. Every value is checked against its key.
///
/// Dropping it closes the pipes and kills a server that does not end within a second;
/// [`finish`](Self::finish) is the patient way.
#[derive(Debug)]
pub struct ProcessOracle {
    /// `None` once the pipes are closed.
    client: Option<VerifyingOracle<ClientOracle<ProcessChannel, ProcessChannel>>>,
    process: Arc<Process>,
    loggers: Vec<JoinHandle<()>>,
    finish: FinishTimes,
}

impl ProcessOracle {
    /// Starts `command` (program, then arguments) as a server.
    ///
    /// # Errors
    /// [`ProcessError`] when it cannot be started. A program that starts and ends at once is found
    /// out by the first request.
    pub fn start(command: &[OsString], options: ProcessOptions) -> Result<Self, ProcessError> {
        let (program, arguments) = command.split_first().ok_or(ProcessError::Empty)?;
        let (client, server) = Pipes::pair()?;
        for file in [
            &client.hints.reader,
            &client.hints.writer,
            &client.preimages.reader,
            &client.preimages.writer,
        ] {
            rustix::io::ioctl_fionbio(file, true).map_err(|e| ProcessError::SetUp(e.into()))?;
        }
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .fd_mappings(descriptors(server))
            .map_err(|error| ProcessError::SetUp(io::Error::other(error)))?;
        let mut child = command
            .spawn()
            .map_err(|source| ProcessError::Start { program: program.clone(), source })?;
        // The command holds our copies of the child's ends; with them open no end of file arrives.
        drop(command);

        let loggers = [
            child.stdout.take().map(|out| log::forward(out, "stdout")),
            child.stderr.take().map(|err| log::forward(err, "stderr")),
        ];
        let process = Arc::new(Process {
            child: Mutex::new(child),
            deadline: options.deadline,
            interrupt: options.interrupt,
        });
        let channel = |file| ProcessChannel { file, process: Arc::clone(&process) };
        let client = ClientOracle::new(channel(client.preimages), channel(client.hints))
            .with_value_limit(options.value_limit_bytes);
        Ok(Self {
            client: Some(VerifyingOracle(client)),
            loggers: loggers.into_iter().flatten().collect(),
            process,
            finish: options.finish,
        })
    }

    /// Ends the server as [`FinishTimes`] says and gives its exit status.
    ///
    /// # Errors
    /// [`ProcessError::Wait`] when the status cannot be had. A server that failed is no error here:
    /// what it answered was checked.
    pub fn finish(mut self) -> Result<ExitStatus, ProcessError> {
        let status = self.end(self.finish).map_err(ProcessError::Wait)?;
        if !status.success() {
            tracing::warn!(module = "host", %status, "the preimage server failed");
        }
        Ok(status)
    }

    fn end(&mut self, times: FinishTimes) -> io::Result<ExitStatus> {
        let status = self.end_process(times);
        self.client = None;
        // A grandchild may hold the streams open for ever.
        let start = Instant::now();
        for logger in self.loggers.drain(..) {
            while !logger.is_finished() && start.elapsed() < END_AFTER_CLOSE {
                std::thread::sleep(Duration::from_millis(1));
            }
            if logger.is_finished() && logger.join().is_err() {
                tracing::warn!(module = "host", "a stream of the preimage server was lost");
            }
        }
        status
    }

    fn end_process(&mut self, times: FinishTimes) -> io::Result<ExitStatus> {
        if let Some(status) = self.process.wait(times.before_close)? {
            return Ok(status);
        }
        self.client = None;
        if let Some(status) = self.process.wait(times.before_interrupt)? {
            return Ok(status);
        }
        tracing::info!(
            module = "host",
            "the preimage server ignores closed pipes, interrupting it"
        );
        self.process.interrupt_child()?;
        if let Some(status) = self.process.wait(times.before_kill)? {
            return Ok(status);
        }
        tracing::warn!(module = "host", "the preimage server ignores the interrupt, killing it");
        let mut child = self.process.child();
        child.kill()?;
        child.wait()
    }
}

impl PreimageOracle for ProcessOracle {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        match &mut self.client {
            Some(client) => client.get(key),
            None => Err(OracleError::PreimageChannel { key, source: ChannelError::Closed }),
        }
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        match &mut self.client {
            Some(client) => client.hint(hint),
            None => Err(OracleError::HintChannel { source: ChannelError::Closed }),
        }
    }
}

impl Drop for ProcessOracle {
    fn drop(&mut self) {
        if self.client.is_none() {
            return;
        }
        self.client = None;
        let times = FinishTimes {
            before_close: Duration::ZERO,
            before_interrupt: END_AFTER_CLOSE.min(self.finish.before_interrupt),
            before_kill: Duration::ZERO,
        };
        if let Err(error) = self.end(times) {
            tracing::warn!(module = "host", %error, "the preimage server cannot be ended");
        }
    }
}

/// Where the child finds the server's side of the pipes.
fn descriptors(server: Pipes) -> Vec<FdMapping> {
    let [hint_read, hint_write] = HINT_DESCRIPTORS;
    let [preimage_read, preimage_write] = PREIMAGE_DESCRIPTORS;
    [
        (server.hints.reader, hint_read),
        (server.hints.writer, hint_write),
        (server.preimages.reader, preimage_read),
        (server.preimages.writer, preimage_write),
    ]
    .into_iter()
    .map(|(file, child_fd)| FdMapping { parent_fd: OwnedFd::from(file), child_fd })
    .collect()
}

/// What both channels know about the child.
#[derive(Debug)]
struct Process {
    child: Mutex<Child>,
    deadline: Option<Duration>,
    interrupt: Option<Arc<AtomicBool>>,
}

impl Process {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the child's end, `None` when it still runs after `limit`.
    fn wait(&self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.child().try_wait()? {
                return Ok(Some(status));
            }
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            std::thread::sleep(pause.min(left));
            pause = (2 * pause).min(TICK);
        }
    }

    fn interrupt_child(&self) -> io::Result<()> {
        let child = self.child();
        let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
            return Ok(());
        };
        // The child is not yet waited for, so the number cannot belong to another process.
        match kill_process(pid, Signal::INT) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What to report when a pipe has closed: the child's end, if that is why.
    fn closed(&self) -> ChannelError {
        match self.wait(END_AFTER_CLOSE) {
            Ok(Some(status)) => ChannelError::Exited { status },
            Ok(None) => ChannelError::Closed,
            Err(error) => error.into(),
        }
    }

    /// Waits until `file` can be read or written, whichever `flags` says.
    fn ready(&self, file: &File, flags: PollFlags) -> Result<(), ChannelError> {
        let start = Instant::now();
        let mut mentioned = Duration::ZERO;
        loop {
            if is_ready(file, flags, TICK)? {
                return Ok(());
            }
            let exited = self.child().try_wait()?;
            if let Some(status) = exited {
                // It may have answered just before its end.
                return match is_ready(file, flags, Duration::ZERO)? {
                    true => Ok(()),
                    false => Err(ChannelError::Exited { status }),
                };
            }
            if self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                return Err(ChannelError::Interrupted);
            }
            let waited = start.elapsed();
            if let Some(limit) = self.deadline.filter(|limit| waited >= *limit) {
                return Err(ChannelError::TimedOut { limit });
            }
            if waited - mentioned >= SILENCE {
                mentioned = waited;
                tracing::warn!(
                    module = "host",
                    seconds = waited.as_secs(),
                    "the preimage server is silent"
                );
            }
        }
    }
}

fn is_ready(file: &File, flags: PollFlags, limit: Duration) -> Result<bool, ChannelError> {
    let limit = Timespec { tv_sec: 0, tv_nsec: limit.subsec_nanos().into() };
    match poll(&mut [PollFd::new(file, flags)], Some(&limit)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A non-blocking channel that watches the process at its other end.
#[derive(Debug)]
struct ProcessChannel {
    file: FileChannel,
    process: Arc<Process>,
}

impl ProcessChannel {
    /// Moves bytes until `length` are moved; `step` gets the number moved so far.
    fn transfer(
        file: &File,
        flags: PollFlags,
        process: &Process,
        length: usize,
        mut step: impl FnMut(usize) -> io::Result<usize>,
    ) -> Result<(), ChannelError> {
        let mut moved = 0;
        while moved < length {
            match step(moved) {
                Ok(0) => return Err(process.closed()),
                Ok(count) => moved += count,
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => process.ready(file, flags)?,
                    io::ErrorKind::BrokenPipe => return Err(process.closed()),
                    _ => return Err(error.into()),
                },
            }
        }
        Ok(())
    }
}

impl Channel for ProcessChannel {
    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ChannelError> {
        let file = &self.file.reader;
        Self::transfer(file, PollFlags::IN, &self.process, buffer.len(), |moved| {
            (&*file).read(&mut buffer[moved..])
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        let file = &self.file.writer;
        Self::transfer(file, PollFlags::OUT, &self.process, bytes.len(), |moved| {
            (&*file).write(&bytes[moved..])
        })
    }
}

#[cfg(test)]
mod tests;
