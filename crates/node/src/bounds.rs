//! Every limit that tonic, hyper and rustls leave off or generous by default, in one place. They are no options: nobody
//! who runs a node has a reason to turn them. How many of something there may be at once is in [`crate::Limits`].
//!
//! | what a library leaves open | what holds instead | where it is set |
//! |---|---|---|
//! | size of a message that comes | `request_bytes`, `join_bytes`, `message_bytes` | each service in `server`, `links::dialer` |
//! | size of a message that goes | `answer_bytes`, `message_bytes` | the same |
//! | size of headers | [`HEADER_BYTES_MAX`] | `server`, `links::dialer` |
//! | bytes on their way unread | [`STREAM_WINDOW_BYTES`], [`CONNECTION_WINDOW_BYTES`] | the same |
//! | keepalive | `keepalive`, `keepalive_timeout` | the same |
//! | duration of a handshake | `handshake`, then `preface` | `connections::incoming` |
//! | duration of a call | `call` | `server::gate` |
//! | a link that is opened and not begun | `hello`, `open` | `links::session`, `links::dialer` |
//! | answers that are not taken | `unread_of_connection`, `unread_of_caller`, `unread_of_node`, then `unread`, `unread_whole` | `connections::unread` |
//! | streams of health | [`STREAMS_PER_CONNECTION`], [`STREAMS_PER_CALLER`] | the same |
//! | calls at once on one connection | `Limits::requests_per_connection` | `server` |
//! | calls that are begun and reset | [`RESET_STREAMS_MAX`] | `server` |
//! | connections | `Limits::connections`, `Limits::unproven` | `connections::lobby` |
//! | a shutdown that waits for others | `Options::shutdown_deadline`, then all are cut | `live` in the crate's root |
//!
//! `tests/limits.rs` and `tests/flood.rs` go beyond each. What is left off: the age of a connection, since links last for
//! days; and session resumption, so that each connection proves who is there.

use std::time::Duration;

use heliu_wire::MESSAGE_BYTES_MAX;

/// What may be on its way unread, per stream and per connection: a frame of usual size, and not one for each link of a
/// county at once.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
pub(crate) const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// Streams that a peer opened and reset at once, before the connection is closed on it.
pub(crate) const RESET_STREAMS_MAX: usize = 64;

/// Room that an answer has which says that something was done, before it is made: all calls of a connection at once have it.
pub(crate) const SMALL_BYTES: usize = 8 * 1024;
/// Streams of health on one connection, and of one address. Nobody needs a second.
pub(crate) const STREAMS_PER_CONNECTION: usize = 4;
pub(crate) const STREAMS_PER_CALLER: usize = 32;

/// Tests make some of them small, so as not to wait long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Within this time a connection that came in is secured. At the dialling end it is [`heliu_tls::HANDSHAKE_DEADLINE`].
    pub(crate) handshake: Duration,
    /// Within this time it has begun to speak HTTP/2. From then on keepalive watches over it.
    pub(crate) preface: Duration,
    /// Who connects says who it is within this time.
    pub(crate) hello: Duration,
    /// How long the other end may take to open a link once it is connected.
    pub(crate) open: Duration,
    /// No call takes longer, but for links; the longest is a verification.
    pub(crate) call: Duration,
    /// How long a call waits until there is room for its answer.
    pub(crate) answer_wait: Duration,
    /// Within this time something of an answer is taken, and all of it within the second: a slow line takes half a
    /// kilobyte in a second.
    pub(crate) unread: Duration,
    pub(crate) unread_whole: Duration,
    /// A connection over which nothing came for so long is asked whether it still lives.
    pub(crate) keepalive: Duration,
    /// It has so long to say that it does.
    pub(crate) keepalive_timeout: Duration,
    /// A page of a list ends here, and long views are cut so that they fit.
    pub(crate) page_bytes: usize,
    /// Bytes of answers that are made, or being made, and not taken: of one connection, of one access token or address, of
    /// all.
    pub(crate) unread_of_connection: usize,
    pub(crate) unread_of_caller: usize,
    pub(crate) unread_of_node: usize,
    /// The largest request of a client, and the largest answer: one entry of the directory, which cannot be cut.
    pub(crate) request_bytes: usize,
    pub(crate) answer_bytes: usize,
    /// The largest request of somebody whom nobody knows.
    pub(crate) join_bytes: usize,
    /// The largest message on a link.
    pub(crate) message_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Bounds {
            handshake: heliu_tls::HANDSHAKE_DEADLINE,
            preface: seconds(10),
            hello: seconds(10),
            open: seconds(10),
            call: seconds(90),
            answer_wait: seconds(10),
            unread: seconds(30),
            unread_whole: seconds(20 * 60),
            keepalive: seconds(20),
            keepalive_timeout: seconds(10),
            page_bytes: 512 * 1024,
            unread_of_connection: 2 * 1024 * 1024,
            unread_of_caller: 4 * 1024 * 1024,
            unread_of_node: 32 * 1024 * 1024,
            request_bytes: 4 * 1024 * 1024,
            answer_bytes: 8 * 1024 * 1024,
            join_bytes: 8 * 1024,
            message_bytes: MESSAGE_BYTES_MAX,
        }
    }
}
