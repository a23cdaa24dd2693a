//! A stretch of network that can be cut: what a lower node dials instead of its superior. It copies bytes, and drops
//! connections while it is shut; the nodes at its ends speak with each other as ever.

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
    pub async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let address = listener.local_addr().expect("it is bound");
        let (open, is_open) = watch::channel(true);
        let task = tokio::spawn(pass_on(listener, target, is_open));
        Gate { address, open, task }
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts what is connected, or lets connections through again.
    pub fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }

    #[must_use]
    pub fn is_open(&self) -> bool {
        *self.open.borrow()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(listener: TcpListener, target: SocketAddr, is_open: watch::Receiver<bool>) {
    while let Ok((lower, _)) = listener.accept().await {
        if *is_open.borrow() {
            tokio::spawn(carry(lower, target, is_open.clone()));
        }
    }
}

/// Until an end hangs up or the gate is shut; how it ended is for the nodes to find out.
async fn carry(mut lower: TcpStream, target: SocketAddr, mut is_open: watch::Receiver<bool>) {
    let Ok(mut upper) = TcpStream::connect(target).await else { return };
    let _ = (lower.set_nodelay(true), upper.set_nodelay(true));
    tokio::select! {
        _ = copy_bidirectional(&mut lower, &mut upper) => {}
        _ = is_open.wait_for(|open| !open) => {}
    }
}
