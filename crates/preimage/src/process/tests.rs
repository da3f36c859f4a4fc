use super::*;
use alloy_primitives::keccak256;
use std::os::unix::process::ExitStatusExt;

fn key() -> PreimageKey {
    PreimageKey::keccak256(keccak256(b"abc"))
}

/// Patience that tests can afford.
fn options() -> ProcessOptions {
    ProcessOptions {
        deadline: Some(Duration::from_millis(300)),
        finish: FinishTimes {
            before_close: Duration::from_millis(100),
            before_interrupt: Duration::from_millis(300),
            before_kill: Duration::from_millis(300),
        },
        ..ProcessOptions::default()
    }
}

/// A server in the shell's language: reads keys on 5, writes answers on 6.
fn server(script: &str, options: ProcessOptions) -> ProcessOracle {
    let command = ["/bin/sh".into(), "-c".into(), script.into()];
    ProcessOracle::start(&command, options).unwrap()
}

/// What the first request to the server gives.
fn ask(script: &str) -> Result<Vec<u8>, OracleError> {
    server(script, options()).get(key())
}

const READ_KEY: &str = "head -c 32 <&5 >/dev/null;";

#[test]
fn a_right_answer_comes_through() {
    let script = r"printf '\000\000\000\000\000\000\000\003abc' >&6";
    assert_eq!(ask(&format!("{READ_KEY} {script}")).unwrap(), b"abc");
}

#[test]
fn an_answer_in_single_bytes_comes_through() {
    let bytes = r"\000 \000 \000 \000 \000 \000 \000 \003 a b c";
    let script = format!("{READ_KEY} for b in {bytes}; do printf \"$b\" >&6; done");
    assert_eq!(ask(&script.replace('\\', "\\\\")).unwrap(), b"abc");
}

#[test]
fn an_answer_given_just_before_the_end_counts() {
    let script = r"printf '\000\000\000\000\000\000\000\003abc' >&6; exit 1";
    let mut oracle = server(&format!("{READ_KEY} {script}"), options());
    assert_eq!(oracle.get(key()).unwrap(), b"abc");
    assert_eq!(oracle.finish().unwrap().code(), Some(1));
}

#[test]
fn a_lying_server_is_found_out() {
    let script = r"printf '\000\000\000\000\000\000\000\003abd' >&6";
    match ask(&format!("{READ_KEY} {script}")) {
        Err(OracleError::Mismatch { key: named, .. }) => assert_eq!(named, key()),
        result => panic!("{result:?}"),
    }
}

#[test]
fn a_server_that_announces_too_much_is_refused() {
    let script = r"printf '\377\377\377\377\377\377\377\377abd' >&6";
    let result = ask(&format!("{READ_KEY} {script}"));
    assert!(
        matches!(result, Err(OracleError::TooLong { length_bytes: u64::MAX, .. })),
        "{result:?}"
    );
}

#[test]
fn a_dying_server_is_named_with_its_status() {
    for (script, code) in [
        ("exit 7".to_owned(), 7),
        (format!("{READ_KEY} exit 9"), 9),
        (format!(r"{READ_KEY} printf '\000\000\000' >&6; exit 3"), 3),
        (format!(r"{READ_KEY} printf '\000\000\000\000\000\000\000\003a' >&6; exit 0"), 0),
    ] {
        match ask(&script) {
            Err(OracleError::PreimageChannel {
                source: ChannelError::Exited { status }, ..
            }) => assert_eq!(status.code(), Some(code), "{script}"),
            result => panic!("{script}: {result:?}"),
        }
    }
}

#[test]
fn a_dead_server_is_noticed_though_its_children_hold_the_pipes() {
    let script = "(trap '' HUP; exec tail -f /dev/null) & echo $!; exit 5";
    let lines = Lines::default();
    let result = lines.collect(|| ask(script));
    // The grandchild is ours to end.
    for line in lines.0.lock().unwrap().iter() {
        if let Some(pid) = line.split_whitespace().find_map(|word| word.parse().ok()) {
            kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        }
    }
    match result {
        Err(OracleError::PreimageChannel { source: ChannelError::Exited { status }, .. }) => {
            assert_eq!(status.code(), Some(5));
        }
        result => panic!("{result:?}"),
    }
}

#[test]
fn a_hanging_server_runs_into_the_deadline() {
    for script in [
        "exec tail -f /dev/null".to_owned(),
        format!("{READ_KEY} exec tail -f /dev/null"),
        format!(r"{READ_KEY} printf '\000\000\000' >&6; exec tail -f /dev/null"),
    ] {
        let result = ask(&script);
        assert!(
            matches!(
                result,
                Err(OracleError::PreimageChannel { source: ChannelError::TimedOut { .. }, .. })
            ),
            "{script}: {result:?}"
        );
    }
}

#[test]
fn a_server_that_reads_no_hints_runs_into_the_deadline() {
    let mut oracle = server("exec tail -f /dev/null", options());
    for hint in [vec![b'x'; 10], vec![b'x'; 1 << 20]] {
        let result = oracle.hint(&hint);
        assert!(
            matches!(
                result,
                Err(OracleError::HintChannel { source: ChannelError::TimedOut { .. } })
            ),
            "{result:?}"
        );
    }
}

#[test]
fn hints_wait_for_the_acknowledgement() {
    let mut oracle = server("head -c 12 <&3 >/dev/null; printf '\\000' >&4; exit 0", options());
    oracle.hint(b"l2-code ").unwrap();
    let result = oracle.hint(b"l2-code ");
    assert!(
        matches!(result, Err(OracleError::HintChannel { source: ChannelError::Exited { .. } })),
        "{result:?}"
    );
}

#[test]
fn an_interrupt_ends_the_wait() {
    let interrupt = Arc::new(AtomicBool::new(true));
    let options =
        ProcessOptions { deadline: None, interrupt: Some(Arc::clone(&interrupt)), ..options() };
    let result = server("exec tail -f /dev/null", options).get(key());
    assert!(
        matches!(
            result,
            Err(OracleError::PreimageChannel { source: ChannelError::Interrupted, .. })
        ),
        "{result:?}"
    );
}

#[test]
fn servers_that_cannot_be_started() {
    assert!(matches!(ProcessOracle::start(&[], options()), Err(ProcessError::Empty)));
    let missing = OsString::from("/nonexistent/server");
    match ProcessOracle::start(std::slice::from_ref(&missing), options()) {
        Err(ProcessError::Start { program, .. }) => assert_eq!(program, missing),
        result => panic!("{result:?}"),
    }
}

#[test]
fn closed_pipes_end_a_server() {
    let oracle = server("cat <&3 >/dev/null; exit 4", options());
    assert_eq!(oracle.finish().unwrap().code(), Some(4));
}

#[test]
fn a_server_that_ignores_closed_pipes_is_interrupted() {
    let oracle = server("exec tail -f /dev/null", options());
    assert_eq!(oracle.finish().unwrap().signal(), Some(Signal::INT.as_raw()));
}

#[test]
fn a_server_that_ignores_the_interrupt_is_killed() {
    // A child that ignores the signal from its start.
    let oracle = server("trap '' INT; exec tail -f /dev/null", options());
    assert_eq!(oracle.finish().unwrap().signal(), Some(Signal::KILL.as_raw()));
}

/// A log that keeps its lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn collect<T>(&self, run: impl FnOnce() -> T) -> T {
        let lines = self.clone();
        let subscriber =
            tracing_subscriber::fmt().with_writer(move || lines.clone()).with_ansi(false).finish();
        tracing::subscriber::with_default(subscriber, run)
    }
}

#[test]
fn what_a_server_prints_is_logged() {
    let lines = Lines::default();
    lines.collect(|| {
        let script = "echo out NO_COLOR=$NO_COLOR; echo err >&2; printf 'no newline'";
        server(script, options()).finish().unwrap();
    });
    let lines = lines.0.lock().unwrap().join("");
    for (text, stream) in
        [("out NO_COLOR=1", "stdout"), ("err", "stderr"), ("no newline", "stdout")]
    {
        let logged = lines.lines().any(|line| {
            line.contains(text)
                && line.contains("module=\"host\"")
                && line.contains(&format!("stream=\"{stream}\""))
        });
        assert!(logged, "{text} is not in {lines}");
    }
}
