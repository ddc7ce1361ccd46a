//! The body of a request: read within bytes and time.

use std::{ops::ControlFlow, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    response::{IntoResponse, Response},
};
use bytes::BytesMut;
use http::{
    HeaderValue, StatusCode,
    header::{CONNECTION, RETRY_AFTER},
};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    bytes::Full,
    metrics::{Bound, LimitMetrics},
    users::{Budget, Reserved},
};
use crate::{connections::ConnectionHandle, json_rpc::RpcError};

/// How much of a refused body is read.
const DISCARD_MAX: usize = 8 << 20;
/// Longest body that is copied out of hyper's buffer, in bytes.
const COPIED_MAX: usize = 4 << 10;
/// How long a refused body is read.
const DISCARD_TIME: Duration = Duration::from_secs(1);

/// The bounds on each body.
#[derive(Debug, Clone)]
pub struct Bodies {
    /// Most bytes.
    pub max_bytes: usize,
    /// Longest time from the head to the last byte.
    pub time: Duration,
    /// What is counted.
    pub metrics: LimitMetrics,
}

/// A body in memory, and its bytes in the budgets.
#[derive(Debug)]
pub struct Read {
    /// The body.
    pub body: Bytes,
    /// To be held as long as the body is.
    pub reserved: Reserved,
}

/// Why a body was not read.
enum Unread {
    TooLong,
    TooSlow,
    Full,
    Broken,
}

impl Bodies {
    /// Reads `body`, which comes over `connection`, for a user with `budget`. Bytes are reserved as
    /// they come: a length that is only declared takes nothing from others.
    ///
    /// Breaks with 413 for too many bytes, 408 for too slow a body, 503 if the budget is used up.
    pub async fn read(
        &self,
        mut body: Body,
        budget: &Budget,
        connection: &ConnectionHandle,
    ) -> ControlFlow<Response, Read> {
        let unread = match self.collect(&mut body, budget).await {
            Ok(read) => return ControlFlow::Continue(read),
            Err(unread) => unread,
        };
        if matches!(unread, Unread::TooLong | Unread::Full) {
            discard(body, connection).await;
        }
        ControlFlow::Break(self.respond(&unread))
    }

    async fn collect(&self, body: &mut Body, budget: &Budget) -> Result<Read, Unread> {
        // Growing would take up to three times the bytes that are reserved. Pages that nothing was
        // written to take no memory.
        let declared = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
        let mut read = BytesMut::new();
        let mut reserved = Reserved::default();
        let deadline = Instant::now() + self.time;
        let slow = |_| Unread::TooSlow;
        while let Some(frame) = timeout_at(deadline, body.frame()).await.map_err(slow)? {
            let frame = frame.map_err(|_| Unread::Broken)?;
            let Ok(data) = frame.into_data() else { continue };
            if read.len() + data.len() > self.max_bytes {
                return Err(Unread::TooLong);
            }
            // That others use the budget up is no slowness of this caller's.
            let reserving = timeout_at(deadline, budget.reserve(data.len(), declared)).await;
            let more = reserving.unwrap_or(Err(Full)).map_err(|Full| Unread::Full)?;
            for (reserved, more) in reserved.iter_mut().zip(more) {
                reserved.add(more);
            }
            if read.is_empty() && body.is_end_stream() {
                // Nearly every message comes in one piece. A slice of hyper's buffer would make
                // hyper allocate a new one while the call runs.
                let is_short = data.len() <= COPIED_MAX;
                let body = if is_short { Bytes::copy_from_slice(&data) } else { data };
                return Ok(Read { body, reserved });
            }
            if read.is_empty() {
                read.reserve(declared.unwrap_or_default().min(self.max_bytes).max(data.len()));
            }
            read.extend_from_slice(&data);
        }
        Ok(Read { body: read.freeze(), reserved })
    }

    fn respond(&self, unread: &Unread) -> Response {
        match unread {
            Unread::TooLong => {
                self.metrics.refused(Bound::BodyBytes);
                let most = self.max_bytes;
                RpcError::invalid_request(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("the body is longer than {most} bytes (MCP_MAX_BODY_BYTES)"),
                )
                .into_response()
            }
            Unread::TooSlow => {
                self.metrics.refused(Bound::BodyTime);
                let error = RpcError::invalid_request(
                    StatusCode::REQUEST_TIMEOUT,
                    format!("the body took longer than {}", humantime::format_duration(self.time)),
                );
                ([(CONNECTION, HeaderValue::from_static("close"))], error).into_response()
            }
            Unread::Full => {
                let message = "too many bytes of requests are being read; try again";
                let error = RpcError::overloaded(StatusCode::SERVICE_UNAVAILABLE, message);
                ([(RETRY_AFTER, "1")], error).into_response()
            }
            // The connection broke: nobody is there to read this.
            Unread::Broken => {
                RpcError::invalid_request(StatusCode::BAD_REQUEST, "the body could not be read")
                    .into_response()
            }
        }
    }
}

/// Reads the rest of a body that is refused, within bounds, and forgets it. A connection that is
/// closed with bytes unread is reset, and the reset takes the response with it: the client would
/// see a broken connection in place of the 401 or 413. `connection` makes room for others
/// meanwhile.
pub async fn discard(mut body: Body, connection: &ConnectionHandle) {
    let _idle = connection.discarding();
    let reading = async {
        let mut left = DISCARD_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(read) else { return };
            left = rest;
        }
    };
    // Whoever sends for longer than that is not waiting for a response.
    let _in_time = timeout(DISCARD_TIME, reading).await;
}
