//! Bounds on requests as a whole: how many at a time, and how long until the response begins.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;

use crate::message::RpcError;

/// Answers 503 at once when all of `slots` are taken, instead of queueing without bound. A slot is held until the
/// response's last byte, so that streams count too.
pub async fn in_number(
    slots: &Arc<Semaphore>,
    answering: impl Future<Output = Response>,
) -> Response {
    let Ok(slot) = slots.clone().try_acquire_owned() else {
        let error = RpcError::internal(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many requests at a time; try again",
        );
        return ([(RETRY_AFTER, HeaderValue::from_static("1"))], error).into_response();
    };
    let response = answering.await;
    if response.body().size_hint().exact().is_some() {
        // All of it is in memory: nothing is left to do.
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &slot;
            frame
        }))
    })
}

/// Answers 504 when the response's head takes longer than `limit`. Reading the request, sign-in and a tool that answers in
/// one piece are within it; a stream that began is not cut, because a client sees it progress.
pub async fn in_time(limit: Duration, answering: impl Future<Output = Response>) -> Response {
    tokio::time::timeout(limit, answering).await.unwrap_or_else(|_| {
        RpcError::internal(
            StatusCode::GATEWAY_TIMEOUT,
            format!(
                "the call took longer than {} and was stopped; its outcome is not known",
                humantime::format_duration(limit)
            ),
        )
        .into_response()
    })
}
