//! What the system knows of a process, under the names that Prometheus' client libraries agree
//! on. Read from `/proc` at each scrape; elsewhere than on Linux there is nothing to tell.

use std::{
    fmt, fs,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, NoLabelSet},
    metrics::MetricType,
    registry::Unit,
};

/// In what Linux counts processor time for programs, on each architecture that Rust supports.
const TICKS_PER_SECOND: f64 = 100.0;

/// This process.
#[derive(Debug)]
pub struct Process {
    started: f64,
}

impl Process {
    /// The process starts now.
    #[must_use]
    pub fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self { started: since.map_or(0.0, |since| since.as_secs_f64()) }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = Gauges { encoder: &mut encoder };
        let seconds = Some(&Unit::Seconds);
        gauge.write(
            "process_start_time",
            "When the process started, since 1970",
            seconds,
            Some(self.started),
        )?;
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        gauge.write(
            "process_resident_memory",
            "Memory of the process that is in RAM",
            Some(&Unit::Bytes),
            kilobytes(&status, "VmRSS:"),
        )?;
        gauge.write(
            "process_virtual_memory",
            "Addresses that the process has mapped",
            Some(&Unit::Bytes),
            kilobytes(&status, "VmSize:"),
        )?;
        gauge.write("process_open_fds", "Open files and sockets", None, open_files())?;
        gauge.write(
            "process_max_fds",
            "Files and sockets that may be open (RLIMIT_NOFILE)",
            None,
            max_files(),
        )?;
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        if let Some(spent) = processor_seconds(&stat) {
            let help = "Processor time of the process, in user mode and in the kernel";
            encoder
                .encode_descriptor("process_cpu", help, seconds, MetricType::Counter)?
                .encode_counter::<NoLabelSet, _, f64>(&spent, None)?;
        }
        Ok(())
    }
}

struct Gauges<'e, 'd> {
    encoder: &'e mut DescriptorEncoder<'d>,
}

impl Gauges<'_, '_> {
    /// Writes a gauge whose value is known.
    fn write<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        value: Option<V>,
    ) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        self.encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?.encode_gauge(&value)
    }
}

/// A line of `/proc/self/status`, in bytes.
fn kilobytes(status: &str, name: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<i64>().ok()?.checked_mul(1024)
}

/// `utime` and `stime` of `/proc/self/stat`, the 14th and 15th field. The second is the program's
/// name in parentheses, which may hold blanks.
fn processor_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

/// Without the one that counts them.
fn open_files() -> Option<i64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    i64::try_from(open.saturating_sub(1)).ok()
}

fn max_files() -> Option<i64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_with_blanks_and_parentheses() {
        let stat = "7 (a b) c) R 1 7 7 0 -1 4194304 90 0 0 0 250 50 0 0 20 0 1 0 5 6 7\n";
        assert_eq!(processor_seconds(stat), Some(3.0));
        assert_eq!(processor_seconds("7 (a) R 1"), None);
        assert_eq!(processor_seconds(""), None);
    }

    #[test]
    fn memory_is_given_in_bytes() {
        let status = "Name:\tserver\nVmSize:\t    2048 kB\nVmRSS:\t      12 kB\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(12 * 1024));
        assert_eq!(kilobytes(status, "VmSwap:"), None);
        assert_eq!(kilobytes("VmRSS:\tmuch kB\n", "VmRSS:"), None);
    }
}
