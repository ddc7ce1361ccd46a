//! The log as text: the form of tracing-subscriber, cut where a line is too long.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, format,
        format::{Format, Full, Writer},
    },
    registry::LookupSpan,
};

/// Ends a line that was cut.
const CUT: &str = "… (cut)";
/// Ends what a terminal shows in colour.
const PLAIN: &str = "\u{1b}[0m";

/// Formats lines of at most so many bytes.
pub(super) struct Text {
    format: Format<Full>,
    line_max: usize,
    in_colour: bool,
}

impl Text {
    pub(super) fn new(line_max: usize, in_colour: bool) -> Self {
        Self { format: format().with_target(false).with_ansi(in_colour), line_max, in_colour }
    }
}

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let end = CUT.len() + PLAIN.len() + 1;
        let room = self.line_max.saturating_sub(end);
        let mut line = Bounded { out: &mut writer, room, is_cut: false };
        let formatted = self.format.format_event(context, Writer::new(&mut line), event);
        if !line.is_cut {
            return formatted;
        }
        writer.write_str(CUT)?;
        if self.in_colour {
            writer.write_str(PLAIN)?;
        }
        writer.write_char('\n')
    }
}

/// Passes on so many bytes, and fails after them, which ends the formatting of what is left.
pub(super) struct Bounded<W> {
    pub(super) out: W,
    /// In bytes.
    pub(super) room: usize,
    /// Whether something did not fit.
    pub(super) is_cut: bool,
}

impl<W: fmt::Write> fmt::Write for Bounded<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_cut {
            return Err(fmt::Error);
        }
        let fits = text.floor_char_boundary(self.room);
        self.is_cut = fits < text.len();
        self.room -= fits;
        self.out.write_str(text.get(..fits).unwrap_or_default())?;
        if self.is_cut { Err(fmt::Error) } else { Ok(()) }
    }
}
