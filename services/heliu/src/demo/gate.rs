//! A stretch of network that can be cut: what a lower node dials instead of its superior. It only copies bytes; the
//! nodes at its ends speak gRPC with each other as ever, and see a connection that breaks and is refused.

use std::io;
use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub struct Gate {
    address: SocketAddr,
    open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Gate {
    /// An open gate to an address on this machine.
    pub async fn before(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (open, is_open) = watch::channel(true);
        let task = tokio::spawn(pass_on(listener, target, is_open));
        Ok(Gate { address, open, task })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks what is connected, or lets connections through again.
    pub fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(listener: TcpListener, target: SocketAddr, is_open: watch::Receiver<bool>) {
    loop {
        let accepted = match listener.accept().await {
            Ok((accepted, _)) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a gate could not accept");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        // Dropping it is how a cut network looks from here.
        if *is_open.borrow() {
            tokio::spawn(carry(accepted, target, is_open.clone()));
        }
    }
}

async fn carry(mut lower: TcpStream, target: SocketAddr, mut is_open: watch::Receiver<bool>) {
    let carrying = async {
        let mut upper = TcpStream::connect(target).await?;
        lower.set_nodelay(true)?;
        upper.set_nodelay(true)?;
        copy_bidirectional(&mut lower, &mut upper).await
    };
    let shut = is_open.wait_for(|open| !open);
    tokio::select! {
        carried = carrying => if let Err(error) = carried {
            tracing::debug!(%error, "a connection through a gate ended");
        },
        _ = shut => {}
    }
}
