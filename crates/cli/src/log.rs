//! Log lines: on standard error, beside the progress line. `RUST_LOG` chooses what is logged, unless a flag does that
//! the agents share with the deployed tools.

use clap::{Arg, ArgMatches};
use indicatif::MultiProgress;
use serde_json::{Map, Value};
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{Format, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::writer::{MakeWriter, OptionalWriter};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// All progress lines of this process. Hidden when standard error is no terminal.
pub static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

const LEVEL: &str = "log.level";
const FORMAT: &str = "log.format";
const COLOR: &str = "log.color";
const PID: &str = "log.pid";

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// For people.
    #[default]
    Text,
    /// `key=value`, as the deployed tools write it.
    Logfmt,
    /// An object a line, with the keys of the deployed tools.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The least level; by `RUST_LOG` unless given.
    level: Option<LevelFilter>,
    form: Form,
    /// Whether there are colours; on terminals unless given.
    color: Option<bool>,
    /// Whether lines name the process.
    pid: bool,
}

/// The flags of the deployed tools that concern the log.
pub fn flags() -> [Arg; 4] {
    let switch = |name: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name).help(help).value_name("BOOL").num_args(0..=1);
        arg.require_equals(true).default_missing_value("true").value_parser(["true", "false"])
    };
    let arguments = [
        Arg::new(LEVEL)
            .long(LEVEL)
            .value_name("LEVEL")
            .ignore_case(true)
            .value_parser(["trace", "debug", "info", "warn", "error", "crit"])
            .help("Least level of what is logged; by RUST_LOG, or else info"),
        Arg::new(FORMAT)
            .long(FORMAT)
            .value_name("FORMAT")
            .value_parser(["text", "terminal", "logfmt", "json"])
            .default_value("text")
            .help("How log lines are written"),
        switch(COLOR, "Colour log lines; on terminals unless given"),
        switch(PID, "Name the process in log lines"),
    ];
    arguments.map(|argument| argument.help_heading("Log"))
}

impl Options {
    /// What the flags of the command say, where it has them.
    pub fn read(matches: &ArgMatches) -> Self {
        if let Some((_, matches)) = matches.subcommand() {
            return Self::read(matches);
        }
        let text = |name| matches.try_get_one::<String>(name).ok().flatten().map(String::as_str);
        let level = text(LEVEL).map(str::to_ascii_lowercase);
        Self {
            // There is nothing above an error here.
            level: level.and_then(|level| level.replace("crit", "error").parse().ok()),
            form: match text(FORMAT) {
                Some("logfmt") => Form::Logfmt,
                Some("json") => Form::Json,
                _ => Form::Text,
            },
            color: text(COLOR).map(|color| color == "true"),
            pid: text(PID) == Some("true"),
        }
    }
}

/// Standard error, with the progress lines out of the way while something is written.
struct BesideBars;

impl Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Prints text for the user, beside the log.
pub fn print(text: &str) {
    // There is nobody left to tell when standard error is closed.
    let _ = BesideBars.write_all(text.as_bytes());
}

/// Whether lines that are no warnings are left out, see [`only_warnings`].
static QUIET: AtomicBool = AtomicBool::new(false);

/// Leaves out what is no warning from now on, unless `RUST_LOG` says what is wanted. For commands that tell what they
/// do in words of their own.
pub fn only_warnings() {
    QUIET.store(std::env::var_os(EnvFilter::DEFAULT_ENV).is_none(), Ordering::Relaxed);
}

/// Where log lines go.
struct Sink;

impl<'w> MakeWriter<'w> for Sink {
    type Writer = OptionalWriter<BesideBars>;

    fn make_writer(&'w self) -> Self::Writer {
        OptionalWriter::some(BesideBars)
    }

    fn make_writer_for(&'w self, line: &Metadata<'_>) -> Self::Writer {
        match QUIET.load(Ordering::Relaxed) && *line.level() > Level::WARN {
            true => OptionalWriter::none(),
            false => OptionalWriter::some(BesideBars),
        }
    }
}

/// Sends log lines to standard error from now on.
pub fn start(options: Options) {
    let filter = match options.level {
        Some(level) => EnvFilter::default().add_directive(level.into()),
        None => {
            EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy()
        }
    };
    let is_colored = options
        .color
        .unwrap_or_else(|| io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    let lines = Lines {
        form: options.form,
        pid: options.pid.then(std::process::id),
        text: Format::default().with_target(false),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Sink)
        .with_ansi(is_colored && options.form == Form::Text)
        .log_internal_errors(false)
        .event_format(lines)
        .init();
}

/// Writes events as lines.
struct Lines {
    form: Form,
    pid: Option<u32>,
    text: Format,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if self.form == Form::Text {
            if let Some(pid) = self.pid {
                write!(writer, "[{pid}] ")?;
            }
            return self.text.format_event(context, writer, event);
        }
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut record = Record::default();
        event.record(&mut record);
        let level = event.metadata().level();
        writeln!(writer, "{}", record.line(self.form, &time, level, self.pid))
    }
}

/// What an event says.
#[derive(Debug, Default)]
struct Record {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Record {
    /// The event in one line.
    fn line(self, form: Form, time: &str, level: &Level, pid: Option<u32>) -> String {
        let head = [
            ("t", time.into()),
            ("lvl", level.as_str().to_ascii_lowercase().into()),
            ("msg", self.message.into()),
        ];
        let pid = pid.map(|pid| ("pid", pid.into()));
        let members = head.into_iter().chain(pid).chain(self.fields);
        match form {
            Form::Json => {
                let members = members.map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect::<Map<_, _>>()).to_string()
            }
            Form::Text | Form::Logfmt => {
                let members: Vec<String> =
                    members.map(|(name, value)| format!("{name}={}", bare(value))).collect();
                members.join(" ")
            }
        }
    }
}

/// A value without quotes, where nothing in it could be taken for something else.
fn bare(value: Value) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=');
    match value {
        Value::String(text) if !text.is_empty() && text.chars().all(is_plain) => text,
        value => value.to_string(),
    }
}

impl Visit for Record {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        match field.name() {
            "message" => self.message = text,
            name => self.fields.push((name, text.into())),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.push((field.name(), value.into()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.push((field.name(), value.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_say_what_is_logged() {
        let check = |arguments: &str, want: Options| {
            let command = clap::Command::new("agent").args(flags());
            let matches =
                command.try_get_matches_from(arguments.split(' ')).expect("they are flags");
            assert_eq!(Options::read(&matches), want, "{arguments}");
        };
        check("agent", Options::default());
        let level = |level| Options { level: Some(level), ..Options::default() };
        check("agent --log.level DEBUG", level(LevelFilter::DEBUG));
        check("agent --log.level=crit", level(LevelFilter::ERROR));
        check("agent --log.format json", Options { form: Form::Json, ..Options::default() });
        check(
            "agent --log.format=logfmt --log.color=false --log.pid",
            Options { form: Form::Logfmt, color: Some(false), pid: true, level: None },
        );
    }

    #[test]
    fn records_are_lines_of_the_deployed_tools() {
        let check = |form, want: &str| {
            let fields = vec![
                ("game", "0x12".into()),
                ("error", "a \"b\"=c\nd".into()),
                ("count", 3.into()),
            ];
            let record = Record { message: "two words".into(), fields };
            assert_eq!(record.line(form, "T", &Level::WARN, Some(7)), want);
        };
        check(
            Form::Logfmt,
            r#"t=T lvl=warn msg="two words" pid=7 game=0x12 error="a \"b\"=c\nd" count=3"#,
        );
        check(
            Form::Json,
            r#"{"count":3,"error":"a \"b\"=c\nd","game":"0x12","lvl":"warn","msg":"two words","pid":7,"t":"T"}"#,
        );
    }
}
