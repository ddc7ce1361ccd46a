//! What HQ is told of the request that its own are made for, to join both records of it.

use http::HeaderMap;

use crate::{
    request_id::{X_REQUEST_ID, XRequestId},
    traces,
};

/// What HQ is told of the request that its own are made for, to join both records of it.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The request's id.
    pub request_id: XRequestId,
    /// `traceparent` and `tracestate` of the client, if it is in a trace.
    pub trace: HeaderMap,
}

impl Origin {
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = self.trace.clone();
        headers.insert(X_REQUEST_ID, self.request_id.header());
        traces::pass_on(&mut headers);
        headers
    }
}
