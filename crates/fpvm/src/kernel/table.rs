//! The system calls of Cannon's machines, one row each: of the 64-bit machine (n64 numbers) and of the
//! 32-bit one (o32 numbers).

macro_rules! define_syscalls {
    ($(#[doc = $about:literal])* $calls:ident; $($(#[doc = $doc:literal])* $name:ident $number:literal;)*) => {
        $(#[doc = $about])*
        #[expect(non_camel_case_types, reason = "system calls go by their Linux names")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $calls {
            $($(#[doc = $doc])* $name,)*
        }

        impl $calls {
            /// Every system call with its number.
            pub const ALL: &[($calls, u64)] = &[$(($calls::$name, $number),)*];

            /// The system call behind a number, if it is in the table.
            pub const fn from_number(number: u64) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Its Linux name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

define_syscalls! {
    /// A system call of the 64-bit machine, by its Linux name. Any other number faults.
    Syscall;
    /// Read from a descriptor.
    read 5000;
    /// Write to a descriptor.
    write 5001;
    /// Always EBADF: there are no files.
    open 5002;
    /// Hand out heap.
    mmap 5009;
    /// The fixed program break.
    brk 5012;
    /// Give up the processor.
    sched_yield 5023;
    /// As `sched_yield`: sleeping threads do not exist.
    nanosleep 5034;
    /// Always 0.
    getpid 5038;
    /// Start a thread.
    clone 5055;
    /// End a thread.
    exit 5058;
    /// Flags of a descriptor.
    fcntl 5070;
    /// Id of the running thread.
    gettid 5178;
    /// Wait for, or wake on, a word of memory: both only yield.
    futex 5194;
    /// End the machine.
    exit_group 5205;
    /// Time since the start, counted in steps.
    clock_gettime 5222;
    /// The one event descriptor.
    eventfd2 5284;
    /// Pseudo-random bytes from state version 8 on.
    getrandom 5313;

    /// Succeeds without effect.
    close 5003;
    /// Succeeds without effect.
    stat 5004;
    /// Succeeds without effect.
    fstat 5005;
    /// Succeeds without effect.
    lseek 5008;
    /// Succeeds without effect.
    mprotect 5010;
    /// Succeeds without effect.
    munmap 5011;
    /// Succeeds without effect.
    rt_sigaction 5013;
    /// Succeeds without effect.
    rt_sigprocmask 5014;
    /// Succeeds without effect.
    ioctl 5015;
    /// Succeeds without effect.
    pread64 5016;
    /// Succeeds without effect.
    mincore 5026;
    /// Succeeds without effect.
    madvise 5027;
    /// Succeeds without effect.
    setitimer 5036;
    /// Succeeds without effect.
    uname 5061;
    /// Succeeds without effect.
    readlink 5087;
    /// Succeeds without effect.
    getrlimit 5095;
    /// Succeeds without effect.
    getuid 5100;
    /// Succeeds without effect.
    getgid 5102;
    /// Succeeds without effect.
    sigaltstack 5129;
    /// Succeeds without effect.
    sched_getaffinity 5196;
    /// Succeeds without effect.
    epoll_ctl 5208;
    /// Succeeds without effect.
    timer_create 5216;
    /// Succeeds without effect.
    timer_settime 5217;
    /// Succeeds without effect.
    timer_delete 5220;
    /// Succeeds without effect.
    tgkill 5225;
    /// Succeeds without effect.
    openat 5247;
    /// Succeeds without effect.
    readlinkat 5257;
    /// Succeeds without effect.
    epoll_pwait 5272;
    /// Succeeds without effect.
    epoll_create1 5285;
    /// Succeeds without effect.
    pipe2 5287;
    /// Succeeds without effect.
    prlimit64 5297;
}

define_syscalls! {
    /// A system call of the 32-bit machine, by its Linux name. Any other number succeeds without effect.
    Syscall32;
    /// Read from a descriptor.
    read 4003;
    /// Write to a descriptor.
    write 4004;
    /// The fixed program break.
    brk 4045;
    /// Flags of a descriptor.
    fcntl 4055;
    /// Hand out heap.
    mmap 4090;
    /// Answers as if there were a second thread, which never runs.
    clone 4120;
    /// End the machine.
    exit_group 4246;
}
