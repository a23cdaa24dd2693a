//! Who is at the other end of a connection: certificates that a node makes of its own key, how they are judged, and the
//! TLS settings that nodes and clients share. TLS 1.3 and HTTP/2 only, with the ring provider.
//!
//! A node's certificate chain is a leaf, for a TLS key of its own, and an authority that is the node's Ed25519 key and
//! nothing else: the node's id follows from that key, so no list of trusted authorities is needed. The leaf names realm and
//! node as `heliu://<realm>/<node>`. What this proves is *which node speaks*. Whether it is enrolled or fenced is
//! the directory's business, and what a person or program may do that of the node's access list: neither belongs here.
//! All X.509 is read by webpki and written by rcgen.
//!
//! Bottom up: `judge`, `make`, `identity`, `config`, `connect`.

mod config;
mod connect;
mod identity;
mod judge;
mod make;

pub use config::{Clock, acceptor, connector};
pub use connect::{CONNECT_TIMEOUT, ConnectError, HANDSHAKE_DEADLINE, NoConnection, connect};
pub use identity::{BadPair, Identity};
pub use judge::{Expected, Failed, Refused, Why, explain, judge, proven};
pub use make::{MakeError, Pair, VALID_DAYS, make};

pub use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
