//! The socket of the loader, with or without TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use growthbook_support::redis::Tls;
use redis::{ConnectionAddr, ConnectionInfo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::reply_meter::ReplyMeter;

/// A socket whose replies have a limit. A larger one is an error of the socket.
///
/// The crate `redis` reads a reply of any size from its own sockets.
pub(super) struct LimitedStream {
    stream: Box<dyn Stream>,
    meter: ReplyMeter,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl LimitedStream {
    /// Connects.
    pub(super) async fn open(info: &ConnectionInfo, tls: &Tls, limit: usize) -> io::Result<Self> {
        let stream: Box<dyn Stream> = match info.addr() {
            ConnectionAddr::Tcp(host, port) => Box::new(connect(host, *port).await?),
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Box::new(tokio::net::UnixStream::connect(path).await?),
            address @ ConnectionAddr::TcpTls { host, port, .. } => {
                let (tls, address) = (tls.clone(), address.clone());
                // The system's certificates are read from files.
                let config = tokio::task::spawn_blocking(move || tls.config_for(&address));
                let (config, name) = config.await.map_err(io::Error::other)??;
                let socket = connect(host, *port).await?;
                Box::new(TlsConnector::from(config).connect(name, socket).await?)
            }
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(LimitedStream { stream, meter: ReplyMeter::new(limit) })
    }
}

async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let socket = TcpStream::connect((host, port)).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

impl AsyncRead for LimitedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let received = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(self.meter.measure(received))
    }
}

impl AsyncWrite for LimitedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
