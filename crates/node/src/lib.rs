//! The tokio shell of a node: it runs links, carries out the engine's effects, executes commands and serves the gRPC
//! APIs. What to send, ask for, judge or keep is decided in `replication`; which store is used is the service's choice.
//!
//! A node has one shape: [`Options`], [`Node::start`], [`NodeHandle`], and an error for each operation. To read on:
//! `inbox` (what goes to the engine's task), `runner` (that task), `connections` (those that come in), `links`, `server`.
//!
//! Bottom up: `bounds`, `clock`, `zone`, `stamp`, `told`, `trouble`, `options`, `backoff`, `region`, `status`, `access`, `certificate`,
//! `error`, `life`, `relisting`, `secured`, `connections`, `routes`, `link_end`, `inbox`, `handle`, `begin`, `orders`, `links`,
//! `runner`, `server`.

pub mod access;
mod backoff;
mod begin;
mod bounds;
mod certificate;
mod clock;
mod connections;
mod error;
mod handle;
mod inbox;
mod life;
mod link_end;
mod links;
mod options;
mod orders;
pub mod region;
mod relisting;
mod routes;
mod runner;
mod secured;
mod server;
mod stamp;
pub mod status;
mod told;
mod trouble;
pub mod zone;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use heliu_replication::Config;
use heliu_storage::{Read, Store, StoreError};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tracing::Instrument;

pub use certificate::CertificateError;
pub use error::{AskError, ExecuteError, JoinError, OrderError, ShutdownError, StartError};
pub use handle::NodeHandle;
pub use options::{Anchor, Limits, Options, Retry, Security, Tls, Upstream};
pub use server::entry_in_words;

use access::{Attempts, Doors};
use begin::Beginner;
use certificate::Certificate;
use connections::{Connections, unread};
use handle::{Inner, Minter};
use life::Life;
use links::dialer::{dial, endpoint};
use routes::{Route, Routes};
use runner::Runner;
use secured::Secured;
use status::LinkRole;
use told::Told;

/// Machines that wait to become nodes at once.
const JOINS_WAITING: usize = 32;
/// How long connections may take to see that they are cut.
const CUT: Duration = Duration::from_secs(5);
/// More often would be a busy loop.
const TICK_MIN: Duration = Duration::from_millis(1);

/// Starts nodes. A process may run many.
pub struct Node;

impl Node {
    /// Starts a node on an open store and returns when it listens. Keep the `Arc` to close the store after
    /// [`NodeHandle::shutdown`]; nobody else may write to it meanwhile.
    pub async fn start(options: Options, store: Arc<dyn Store>) -> Result<NodeHandle, StartError> {
        check(&options)?;
        let beginner = Beginner {
            anchor: options.anchor,
            key: Arc::clone(&options.key),
            verifier: Arc::clone(&options.verifier),
            sealing: options.sealing.clone(),
            issuer: options.issuer.clone(),
            config: Config {
                program: options.program.clone(),
                open_max: options.open_max,
                patrol_round_ms: u64::try_from(options.patrol_round.as_millis()).unwrap_or(u64::MAX),
                foreign_max: options.foreign_max,
                pool: options.pool.clone(),
                ..Config::new(options.catalogue)
            },
        };
        // A small store is listed before anybody asks; what is wrong with it is told by whoever begins.
        if let Err(error) = relisting::page(&*store, options.catalogue).await {
            tracing::warn!(%error, "records cannot be listed yet");
        }
        let begun = match beginner.begin(&store, &options.directory, None).await {
            // What an index is made from may be whole: a store builds it anew before it writes.
            Err(StartError::Store(error @ StoreError::Damaged { .. })) => {
                beginner.begin(&store, &options.directory, Some(&error)).await
            }
            begun => begun,
        };
        let (engine, seat) = begun?;
        let refused = |why| StartError::Listen { address: options.listen, why };
        let listener = TcpListener::bind(options.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;

        let secured = secured(&options)?;
        let limits = options.limits.at_least_one();
        let (inbox, queue) = mpsc::channel(limits.inbox);
        let (directory, directory_seen) = watch::channel(engine.directory().clone());
        let (read_only, read_only_seen) = watch::channel(None);
        let told = Arc::new(Told::default());
        let inner = Arc::new(Inner {
            catalogue: options.catalogue,
            node: beginner.node(),
            seat,
            address,
            clock: options.clock.begin(),
            limits,
            bounds: options.bounds,
            connections: Connections::new(&limits, options.bounds, secured.clone(), Arc::clone(&told)),
            retry: options.retry,
            secured,
            told,
            inbox,
            commands: Arc::new(Semaphore::new(limits.commands)),
            joins: Arc::new(Semaphore::new(JOINS_WAITING)),
            join_attempts: Attempts::default(),
            minter: Minter { key: Arc::clone(&options.key), realm_name: options.realm_name.clone() },
            directory: directory_seen,
            read_only: read_only_seen,
            life: Life::begin(),
            to_list: Arc::default(),
            routes: Routes::new(routes(&options)),
            links_made: AtomicU64::new(1),
        });
        let seat_name = engine.directory().seats().name(seat);
        let span = tracing::info_span!("node", node = inner.node.short(), seat = seat_name);
        span.in_scope(|| tracing::info!(%address, head = engine.meta().head, "the node listens"));
        let runner = Runner {
            inner: Arc::clone(&inner),
            store: Arc::clone(&store),
            beginner,
            engine,
            inbox: queue,
            directory,
            read_only,
            program: options.program,
            tick: options.tick.max(TICK_MIN),
            shutdown_deadline: options.shutdown_deadline,
        };
        let listing = relisting::keep_listed(
            Arc::clone(&store),
            options.catalogue,
            Arc::clone(&inner.to_list),
            inner.life.clone(),
        );
        tokio::spawn(listing.instrument(span.clone()));
        tokio::spawn(live(inner.clone(), runner, store, listener).instrument(span));
        Ok(NodeHandle(inner))
    }
}

/// Everything that a node does, from its start to its end.
async fn live(inner: Arc<Inner>, runner: Runner, store: Arc<dyn Read>, listener: TcpListener) {
    let span = tracing::Span::current();
    let deadline = runner.shutdown_deadline;
    let engine = tokio::spawn(runner.run().instrument(span.clone()));
    if let Some(secured) = inner.secured.clone() {
        tokio::spawn(secured::watch(secured, inner.life.clone()).instrument(span.clone()));
    }
    let (unread, refused) = (Arc::clone(&inner.connections.unread), Arc::clone(&inner.connections.refused));
    tokio::spawn(unread::watch(unread, refused, inner.life.clone()).instrument(span.clone()));
    let mut server = tokio::spawn(listen(Arc::clone(&inner), store, listener).instrument(span.clone()));
    for route in inner.routes.dialled() {
        tokio::spawn(dial(Arc::clone(&inner), Arc::clone(route)).instrument(span.clone()));
    }
    let ended = match engine.await {
        Ok(ended) => ended,
        Err(error) => {
            tracing::error!(%error, "the node's engine has failed; nothing acknowledged is lost. Restart the node");
            Err(ShutdownError::Failed(error.to_string()))
        }
    };
    inner.life.stop();
    let is_late = tokio::time::timeout(deadline, &mut server).await.is_err();
    // Ending the server would not end its connections: each is served by a task of its own.
    inner.connections.lobby.close();
    if is_late {
        tracing::warn!("some connections did not end in time and are cut");
        if tokio::time::timeout(CUT, &mut server).await.is_err() {
            server.abort();
        }
    }
    tracing::info!("the node has stopped");
    inner.life.end(ended);
}

/// A node that nobody can reach is of no use: if the server fails, the node ends.
async fn listen(inner: Arc<Inner>, store: Arc<dyn Read>, listener: TcpListener) {
    if let Err(error) = server::serve(NodeHandle(Arc::clone(&inner)), store, listener).await {
        tracing::error!(%error, "the server has failed; the node stops. Restart it");
        inner.life.stop();
    }
}

fn check(options: &Options) -> Result<(), StartError> {
    if matches!(options.security, Security::LoopbackPlain) && !options.listen.ip().is_loopback() {
        return Err(StartError::NotLoopback(options.listen));
    }
    let (key, verifier) = (options.key.scheme(), options.verifier.scheme());
    if key != verifier {
        return Err(StartError::Scheme { key, verifier });
    }
    for upstream in options.upstreams.iter().chain(&options.peers) {
        if upstream.addresses.is_empty() {
            return Err(StartError::NoAddress);
        }
        if let Some(address) = upstream.addresses.iter().find(|address| endpoint(address).is_none()) {
            return Err(StartError::BadAddress { address: address.clone() });
        }
    }
    Ok(())
}

/// The node's certificate and access list, or a loud word that it has none.
fn secured(options: &Options) -> Result<Option<Secured>, StartError> {
    let Security::Tls(files) = &options.security else {
        tracing::warn!(
            "DEVELOPMENT MODE: no encryption, no access tokens; everybody on this machine may read and change everything"
        );
        return Ok(None);
    };
    let doors = Arc::new(Doors::open(files.access.clone()));
    let certificate = Arc::new(Certificate::open(
        files.clone(),
        options.anchor.realm,
        Arc::clone(&options.key),
        options.clock.clone(),
    )?);
    Ok(Some(Secured { certificate, doors }))
}

fn routes(options: &Options) -> Vec<Arc<Route>> {
    let parents = options.upstreams.iter().map(|upstream| Route::dialled(LinkRole::Parent, upstream.clone()));
    let peers = options.peers.iter().map(|peer| Route::dialled(LinkRole::Peer, peer.clone()));
    parents.chain(peers).map(Arc::new).collect()
}
