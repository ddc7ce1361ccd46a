//! A figure, and the sums that figures need.

/// What was measured, held against its target.
pub(crate) struct Figure {
    what: &'static str,
    found: String,
    target: String,
    met: bool,
}

impl Figure {
    /// `found` is as `target` says if `met`.
    pub(crate) fn new(
        what: &'static str,
        found: impl Into<String>,
        target: impl Into<String>,
        met: bool,
    ) -> Self {
        Self { what, found: found.into(), target: target.into(), met }
    }

    /// `found` is at most `most`, of this unit.
    pub(crate) fn at_most(what: &'static str, found: f64, most: f64, unit: &str) -> Self {
        let target = format!("at most {most} {unit}");
        Self::new(what, format!("{found:.2} {unit}"), target.trim_end(), found <= most)
    }

    /// Memory; `kib` as the kernel gives it, `most` in MiB.
    pub(crate) fn memory(what: &'static str, kib: u64, most: u32) -> Self {
        let mib = count(usize::try_from(kib).unwrap_or(usize::MAX)) / 1024.0;
        Self::at_most(what, mib, f64::from(most), "MiB")
    }

    /// Something that there must be none of.
    pub(crate) fn none(what: &'static str, found: usize) -> Self {
        Self::new(what, found.to_string(), "0", found == 0)
    }

    /// Prints it, and says whether the target is met.
    pub(crate) fn print(&self) -> bool {
        let Self { what, found, target, met } = self;
        let word = if *met { "ok    " } else { "MISSED" };
        println!("{word} {what:<46} {found:>16}   target {target}");
        *met
    }
}

/// How many a second.
pub(crate) fn per_second(resources: usize, took: std::time::Duration) -> f64 {
    count(resources) / took.as_secs_f64()
}

/// For a sum.
#[expect(clippy::cast_precision_loss, reason = "for a person to read")]
pub(crate) fn count(count: usize) -> f64 {
    count as f64
}
