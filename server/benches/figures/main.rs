//! The server's figures: what `make bench` prints. Not a test, because a loaded machine can't tell;
//! what can be told on any machine is a test in `tests/memory.rs` and `e2e/tests/stays_small.rs`.
//!
//! Calls are compared with those of a bare rmcp server in the same run: both as they are built for
//! release, each on the same single core, asked the same by the same load from another. The server
//! signs each call in (introspection cache on), checks scopes, counts, logs and audits; the bare
//! server does none of it. The ratio is of calls to a second of processor time, which, unlike a
//! second of the clock, other processes on the machine hardly change. The load never sleeps while
//! it asks: waking it would be the work of whichever server is the slower one, and of no server
//! whose clients are elsewhere.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a figure that can't be had is not printed")]

mod echo;
mod hq;
mod load;
mod process;

use std::{process::ExitCode, time::Duration};

use crate::{hq::Hq, load::Load, process::Process};

/// How often each of the two is measured, in turns: short ones, so that what else the machine does
/// falls upon few of them.
const ROUNDS: usize = 25;
/// Calls in each round.
const CALLS: usize = 5_000;
/// Connections that ask at a time.
const CONNECTIONS: usize = 16;

fn main() -> ExitCode {
    if std::env::var_os(echo::ROLE).is_some() {
        echo::serve();
        return ExitCode::SUCCESS;
    }
    process::leave_the_first_core();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let figures = runtime.block_on(measure());
    let missed = figures.iter().filter(|figure| !figure.met).count();
    for Figure { what, found, target, met } in &figures {
        println!(
            "{} {what:<46} {found:>12}   target {target}",
            if *met { "ok    " } else { "MISSED" }
        );
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Figure {
    what: &'static str,
    found: String,
    target: &'static str,
    met: bool,
}

async fn measure() -> Vec<Figure> {
    let hq = Hq::start().await;
    let mut figures = vec![start_to_listening(&hq)];

    let server = Process::server(&hq);
    let idle = server.memory("VmRSS");
    figures.push(mib("memory, idle", idle, 10, "at most 10 MiB"));

    let many = Load::connect(server.endpoint, 200).await;
    many.call(200, &Hq::call()).await;
    figures.push(mib("memory, 200 connections", server.memory("VmRSS"), 18, "at most 18 MiB"));
    drop(many);

    let before = server.memory("VmRSS");
    server.forget_peak();
    Load::connect(server.endpoint, 1).await.call(1, &Hq::query(1_000_000)).await;
    let growth = server.memory("VmHWM").saturating_sub(before);
    figures.push(mib("memory, a query of 1000000 rows adds", growth, 2, "at most 2 MiB"));

    figures.push(calls(&server).await);
    figures.push(forwarded(&server).await);
    figures
}

/// The quickest of several: what is slower is the machine's doing.
fn start_to_listening(hq: &Hq) -> Figure {
    let quickest = (0..10).map(|_| Process::server(hq).started_in).min().unwrap();
    Figure {
        what: "from start to listening",
        found: format!("{:.1} ms", quickest.as_secs_f64() * 1_000.0),
        target: "at most 20 ms",
        met: quickest <= Duration::from_millis(20),
    }
}

/// Calls of the server against those of the bare one, in turns.
async fn calls(server: &Process) -> Figure {
    let bare = Process::echo();
    let of_server = Load::connect(server.endpoint, CONNECTIONS).await;
    let of_bare = Load::connect(bare.endpoint, CONNECTIONS).await;
    // Connections to HQ are made, tokens introspected, and the allocators have what they keep.
    of_server.call(2_000, &Hq::call()).await;
    of_bare.call(2_000, &echo::call()).await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(rate(server, &of_server, &Hq::call()).await);
        theirs.push(rate(&bare, &of_bare, &echo::call()).await);
    }
    let ratio = median(
        ours.iter().zip(&theirs).map(|(ours, theirs)| ours.per_cpu_second / theirs.per_cpu_second),
    );
    for (who, rates) in [("server", ours), ("bare rmcp", theirs)] {
        println!(
            "{who}: {:.0} calls a CPU second, {:.0} a second",
            median(rates.iter().map(|rate| rate.per_cpu_second)),
            median(rates.iter().map(|rate| rate.per_second))
        );
    }
    Figure {
        what: "calls, of a bare rmcp server's",
        found: format!("{ratio:.2}"),
        target: "at least 1.50",
        met: ratio >= 1.5,
    }
}

/// Processor time of a call that forwards 16 KB, against one that HQ is not asked for.
async fn forwarded(server: &Process) -> Figure {
    let load = Load::connect(server.endpoint, CONNECTIONS).await;
    load.call(2_000, &Hq::list()).await;
    let (mut lists, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        lists.push(rate(server, &load, &Hq::list()).await);
        calls.push(rate(server, &load, &Hq::call()).await);
    }
    let ratio = median(
        calls.iter().zip(&lists).map(|(call, list)| call.per_cpu_second / list.per_cpu_second),
    );
    println!(
        "list of 16 KB: {:.0} calls a CPU second",
        median(lists.iter().map(|rate| rate.per_cpu_second))
    );
    Figure {
        what: "a list of 16 KB, of a call's processor time",
        found: format!("{ratio:.2}"),
        target: "at most 2.00",
        met: ratio <= 2.0,
    }
}

/// Of [`ROUNDS`] values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[ROUNDS / 2]
}

struct Rate {
    per_second: f64,
    per_cpu_second: f64,
}

#[expect(clippy::cast_precision_loss, reason = "for a person to read")]
async fn rate(process: &Process, load: &Load, call: &load::Call) -> Rate {
    let before = process.cpu_time();
    let took = load.call(CALLS, call).await;
    let cpu = process.cpu_time().saturating_sub(before);
    Rate {
        per_second: CALLS as f64 / took.as_secs_f64(),
        per_cpu_second: CALLS as f64 / cpu.as_secs_f64(),
    }
}

/// A figure of memory; `kib` as the kernel gives it.
#[expect(clippy::cast_precision_loss, reason = "for a person to read")]
fn mib(what: &'static str, kib: u64, limit: u64, target: &'static str) -> Figure {
    Figure {
        what,
        found: format!("{:.1} MiB", kib as f64 / 1024.0),
        target,
        met: kib <= limit << 10,
    }
}
