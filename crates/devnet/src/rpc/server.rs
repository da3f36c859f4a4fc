//! HTTP on loopback: JSON-RPC by POST, and whatever else by GET.
//!
//! Each server has a thread of its own with the network; requests are answered on further threads, so
//! that a slow one holds up no other.

use super::{Methods, answer};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, RawQuery, State},
    http::{HeaderValue, Method, Response, StatusCode, Uri, header},
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{runtime, sync::oneshot, task};

/// The longest request, in bytes: enough for a batch of transactions with blobs.
const REQUEST_LIMIT_BYTES: usize = 32 << 20;
/// How long requests that are being answered may still take when the server stops.
const GRACE: Duration = Duration::from_secs(2);

/// An answer to a GET request, in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// JSON.
    pub body: String,
}

/// Answers GET requests.
pub trait Get: Send + Sync + 'static {
    /// The answer for a path and a query, as they stand in the URL.
    fn get(&self, path: &str, query: &str) -> HttpAnswer;
}

/// What a server serves.
#[derive(Clone)]
enum Service {
    Rpc(Arc<dyn Methods>),
    Get(Arc<dyn Get>),
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is taken, or is not for us.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where it was tried.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// There is no thread for it.
    #[error("cannot start a server: {0}")]
    Start(io::Error),
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves JSON-RPC. Port 0 stands for any free one.
    ///
    /// # Errors
    /// [`ServerError`] when the port is taken.
    pub fn rpc(address: SocketAddr, methods: Arc<dyn Methods>) -> Result<Self, ServerError> {
        Self::start(address, Service::Rpc(methods))
    }

    /// Serves GET requests. Port 0 stands for any free one.
    ///
    /// # Errors
    /// [`ServerError`] when the port is taken.
    pub fn get(address: SocketAddr, get: Arc<dyn Get>) -> Result<Self, ServerError> {
        Self::start(address, Service::Get(get))
    }

    fn start(address: SocketAddr, service: Service) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServerError::Start)?;
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            if let Err(error) = runtime.block_on(serve(listener, service, stopped)) {
                tracing::error!(%address, %error, "server");
            }
            runtime.shutdown_timeout(GRACE);
        };
        let thread = thread::Builder::new().name(format!("http {}", address.port()));
        let thread = thread.spawn(run).map_err(ServerError::Start)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL to call.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The server may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

async fn serve(
    listener: TcpListener,
    service: Service,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let router = Router::new()
        .fallback(respond)
        .layer(DefaultBodyLimit::max(REQUEST_LIMIT_BYTES))
        .with_state(service);
    let (done, all_done) = oneshot::channel::<()>();
    let stop = async move {
        let _ = stopped.await;
        let _ = done.send(());
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop);
    // Connections that are kept open would keep the server; they have their time.
    let late = async move {
        let _ = all_done.await;
        tokio::time::sleep(GRACE / 10).await;
    };
    tokio::select! {
        ended = async { serving.await } => ended,
        () = late => Ok(()),
    }
}

async fn respond(
    State(service): State<Service>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response<Body> {
    let answered = task::spawn_blocking(move || match service {
        Service::Rpc(methods) if method == Method::POST => {
            Some(HttpAnswer { status: 200, body: answer(&*methods, &body) })
        }
        Service::Get(get) if method == Method::GET => {
            Some(get.get(uri.path(), &query.unwrap_or_default()))
        }
        _ => None,
    });
    match answered.await {
        Ok(Some(HttpAnswer { status, body })) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            json_response(status, body)
        }
        Ok(None) => json_response(StatusCode::METHOD_NOT_ALLOWED, String::new()),
        Err(error) => {
            tracing::error!(%error, "request");
            json_response(StatusCode::INTERNAL_SERVER_ERROR, String::new())
        }
    }
}

fn json_response(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
