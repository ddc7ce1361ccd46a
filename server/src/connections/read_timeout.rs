//! Bounds on the time until a request begins, and until its head is complete.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Timeouts,
    activity::{Activity, Phase},
    metrics::{Closed, ListenerMetrics},
};

/// A stream whose reads fail once the connection was idle, or a head incomplete, for too long. It
/// stands above TLS, where only bytes of HTTP count.
///
/// hyper's own timeout can't tell the two apart: it runs from the end of the last request.
pub(super) struct ReadTimeout<S> {
    stream: S,
    timeouts: Timeouts,
    activity: Arc<Activity>,
    metrics: ListenerMetrics,
    /// Fires at the deadline or before it. Setting it for each request would cost more than to set
    /// it anew when it fires too early.
    timer: Pin<Box<Sleep>>,
}

impl<S> ReadTimeout<S> {
    pub(super) fn new(
        stream: S,
        timeouts: Timeouts,
        activity: Arc<Activity>,
        metrics: ListenerMetrics,
    ) -> Self {
        let timer = Box::pin(sleep_until(Instant::now() + timeouts.idle));
        Self { stream, timeouts, activity, metrics, timer }
    }

    /// Waits until the phase has lasted for too long; for ever in a phase that others bound.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let (phase, since) = self.activity.phase();
        let (limit, closed, text) = match phase {
            Phase::Idle => (self.timeouts.idle, Closed::IdleTimeout, "no request came in time"),
            Phase::Head => {
                (self.timeouts.head, Closed::HeadTimeout, "a request's head took too long")
            }
            Phase::Answering | Phase::Flushing => return Poll::Pending,
        };
        let deadline = since + limit;
        if self.timer.deadline() > deadline || self.timer.is_elapsed() {
            self.timer.as_mut().reset(deadline);
        }
        while self.timer.deadline() < deadline {
            ready!(self.timer.as_mut().poll(cx));
            self.timer.as_mut().reset(deadline);
        }
        ready!(self.timer.as_mut().poll(cx));
        self.metrics.closed(closed);
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, text))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let phase = self.activity.phase().0;
        if read.is_pending() {
            if phase == Phase::Flushing {
                // The deadline is set once the connection is idle.
                self.activity.await_flush();
            }
            return self.poll_deadline(cx).map(Err);
        }
        if phase == Phase::Idle && buffer.filled().len() > before {
            self.activity.enter(Phase::Head);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes once nothing is left in its own buffer.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) && self.activity.flushed() {
            cx.waker().wake_by_ref();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
