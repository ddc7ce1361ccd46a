//! What each request of a connection has around it: its client's address, the connection's
//! activity, and the header that says that the connection closes.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderValue, Request, Response, header::CONNECTION},
};
use hyper::{
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    service::{Service, service_fn},
};
use hyper_util::service::TowerToHyperService;

use super::{
    activity::{Activity, Phase},
    handle::ConnectionHandle,
};
use crate::client_address::{ClientAddress, TrustedProxies};

/// The router for the requests from `peer` to the address `own`. Once `stopping` is true, its
/// responses say that their connection closes after them (RFC 9112 §9.6).
pub(super) fn service(
    router: Router,
    peer: SocketAddr,
    own: Option<IpAddr>,
    trusted: Arc<TrustedProxies>,
    activity: Arc<Activity>,
    stopping: Arc<AtomicBool>,
) -> impl Service<Request<Incoming>, Response = Response<Answer>, Error = Infallible, Future: Send>
{
    let router = TowerToHyperService::new(router);
    service_fn(move |mut request: Request<Incoming>| {
        let address = ClientAddress::of_request(peer, own, request.headers(), &trusted);
        request.extensions_mut().insert(address);
        request.extensions_mut().insert(ConnectionHandle::new(Arc::clone(&activity)));
        let (answering, activity, stopping) =
            (router.call(request), Arc::clone(&activity), Arc::clone(&stopping));
        async move {
            previous_is_flushed(&activity).await;
            activity.enter(Phase::Answering);
            let answered = Answered(activity);
            let mut response = answering.await?;
            if stopping.load(Ordering::Relaxed) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| Answer { body, _answered: answered }))
        }
    })
}

/// Waits until the previous response has been written: hyper would answer pipelined requests on
/// and on, and keep what their client does not read.
async fn previous_is_flushed(activity: &Activity) {
    poll_fn(|_| {
        if activity.phase().0 == Phase::Flushing {
            activity.await_flush();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

/// Notes the end of a response when it is dropped.
struct Answered(Arc<Activity>);

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.enter(Phase::Flushing);
    }
}

/// A response's body. hyper drops it once it has taken the last part.
pub(super) struct Answer {
    body: Body,
    _answered: Answered,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
