//! Frames as bytes: what a peer on the line could send instead of a message of the protocol.

use std::sync::Arc;

use heliu_record::change::Change;
use heliu_record::codec::Encoder;
use heliu_record::id::Preimage;
use heliu_replication::frame::{Frame, Leaves, limits};
use heliu_wire::replication::{self as pb, frame::Frame as Pb, range::Content};
use heliu_wire::{DeliveryError, FrameError};
use prost::Message;

use super::Desk;
use crate::author::Author;

#[derive(Clone, Debug)]
pub struct HostileFrame {
    pub name: &'static str,
    /// See [`code_of`].
    pub expect_code: &'static str,
    pub bytes: Vec<u8>,
}

/// Why bytes are no frame.
#[derive(Debug)]
pub enum Unread {
    Protobuf,
    Frame(FrameError),
}

/// As a link reads it.
pub fn read_frame(bytes: &[u8]) -> Result<Frame, Unread> {
    let message = pb::LinkRequest::decode(bytes).map_err(|_| Unread::Protobuf)?;
    Frame::try_from(message).map_err(Unread::Frame)
}

/// A short name of what became of a frame.
#[must_use]
pub fn code_of(read: &Result<Frame, Unread>) -> &'static str {
    match read {
        Ok(Frame::Unknown) => "ignored",
        Ok(_) => "read",
        Err(Unread::Protobuf) => "frame.protobuf",
        Err(Unread::Frame(error)) => match error {
            FrameError::Missing(_) => "frame.missing",
            FrameError::Size { .. } => "frame.size",
            FrameError::TooMany { .. } => "frame.too-many",
            FrameError::Order(_) => "frame.order",
            FrameError::TooLong { .. } => "frame.too-long",
            FrameError::Directory(_) => "frame.directory",
            FrameError::KnownCommit(_) => "frame.known-commit",
            FrameError::Delivery(DeliveryError::TooLong(_)) => "frame.delivery-too-long",
            FrameError::Delivery(DeliveryError::Unpack(_)) => "frame.delivery-unpack",
            FrameError::Delivery(DeliveryError::Form(_)) => "frame.delivery-form",
        },
    }
}

#[must_use]
pub fn frames(author: &Author) -> Vec<HostileFrame> {
    let mut all = deliveries(author);
    all.extend(preimages(author));
    all.extend(lists());
    all.extend(words());
    all
}

fn frame(name: &'static str, expect_code: &'static str, frame: Pb) -> HostileFrame {
    let message = pb::LinkRequest { frame: Some(pb::Frame { frame: Some(frame) }) };
    HostileFrame { name, expect_code, bytes: message.encode_to_vec() }
}

/// A delivery in plain or compressed bytes, whatever they say.
fn delivery(
    name: &'static str,
    code: &'static str,
    packing: pb::Packing,
    raw_bytes: u64,
    bytes: Vec<u8>,
) -> HostileFrame {
    let leaves =
        pb::Leaves { sequence: 1, packing: packing.into(), raw_bytes, delivery: bytes, ..pb::Leaves::default() };
    frame(name, code, Pb::Leaves(leaves))
}

fn zeros(mib: usize) -> Vec<u8> {
    // A bulk compressor with memory for it always takes zeros.
    zstd::bulk::compress(&vec![0; mib << 20], 19).unwrap_or_default()
}

fn deliveries(author: &Author) -> Vec<HostileFrame> {
    use pb::Packing::{Plain, Zstd};
    let plain = |name, bytes: Vec<u8>| delivery(name, "frame.delivery-form", Plain, bytes.len() as u64, bytes);
    let count = |before: &[u64], count: u64| {
        let mut out = Encoder::default();
        out.u8(1);
        for number in before.iter().chain([&count]) {
            out.varint(*number);
        }
        out.fixed(&[0; 50_000]);
        out.0
    };
    let max = limits::FRAME_BYTES as u64;
    let whole = {
        let pb::Leaves { delivery, raw_bytes, packing, .. } = honest_leaves(author);
        let plain = if packing == i32::from(Zstd) {
            zstd::bulk::decompress(&delivery, usize::try_from(raw_bytes).unwrap_or(0)).unwrap_or_default()
        } else {
            delivery
        };
        [plain, b"more".to_vec()].concat()
    };
    vec![
        delivery("4 MiB zstd bomb", "frame.delivery-form", Zstd, max, zeros(4)),
        delivery("zstd bomb beyond a frame", "frame.delivery-too-long", Zstd, 1 << 30, zeros(64)),
        delivery("zstd bomb that says to be small", "frame.delivery-unpack", Zstd, 100, zeros(64)),
        delivery("zstd bomb that says to be endless", "frame.delivery-too-long", Zstd, u64::MAX, zeros(1)),
        delivery("zstd of nothing", "frame.delivery-unpack", Zstd, 4_000_000, vec![1, 2, 3]),
        delivery("plain that says to be longer", "frame.delivery-unpack", Plain, 4_000_000, vec![1; 10]),
        delivery("another packing", "frame.missing", pb::Packing::Unspecified, 1, vec![1]),
        plain("delivery of another format", vec![9; 100]),
        plain("empty delivery", Vec::new()),
        plain("kinds by the billion", count(&[], 1 << 40)),
        plain("too many kinds", count(&[], limits::LEAVES_PER_FRAME as u64 + 1)),
        plain("too many authors", count(&[0, 0], 1 << 62)),
        plain("too many preimages", count(&[0, 0, 0], limits::LEAVES_PER_FRAME as u64 + 1)),
        plain("too many commits", count(&[0, 0, 0, 0], limits::LEAVES_PER_FRAME as u64 + 1)),
        plain("too many leaves in a frame", count(&[0, 0, 0, 0, 0], limits::LEAVES_PER_FRAME as u64 + 1)),
        plain("leaves of no commit", count(&[0, 0, 0, 0], 700)),
        plain("bytes behind the delivery", whole),
    ]
}

fn honest_leaves(author: &Author) -> pb::Leaves {
    let mut desk = Desk::new(author, "framed");
    let edit = Change::encode(desk.edit());
    desk.write(&edit);
    leaves(desk)
}

fn leaves(desk: Desk<'_>) -> pb::Leaves {
    let leaves = Leaves { sequence: 1, delivery: desk.delivery, withdrawn: Vec::new(), through: None };
    (&leaves).into()
}

/// A record's id whose preimage has no valid form.
fn preimages(author: &Author) -> Vec<HostileFrame> {
    let of = |name, spoil: &dyn Fn(&mut Preimage)| {
        let mut desk = Desk::empty(author, name);
        let mut preimage = (*desk.preimage).clone();
        spoil(&mut preimage);
        desk.preimage = Arc::new(preimage);
        desk.sign(&desk.birth().raw);
        frame(name, "frame.delivery-form", Pb::Leaves(leaves(desk)))
    };
    vec![
        of("framed preimage without a kind", &|preimage| preimage.kind.clear()),
        of("framed preimage with a long kind", &|preimage| preimage.kind = "k".repeat(500)),
        of("framed preimage with a long key", &|preimage| preimage.key = vec![1; 60_000]),
    ]
}

fn lists() -> Vec<HostileFrame> {
    let range = |content| pb::Range { from: vec![0; 32], to: Vec::new(), content: Some(content) };
    let reconcile = |ranges| {
        Pb::Reconcile(pb::Reconcile { ranges, turn: pb::Turn::Question.into(), compared: pb::Compared::Records.into() })
    };
    let many = |count| std::iter::repeat_n(pb::Range::default(), count).collect();
    let have = |records| Pb::Have(pb::Have { records, reply: true });
    let records = |count| std::iter::repeat_n(pb::HaveRecord::default(), count).collect();
    let possession = |count: usize, hashes: usize| {
        let of = pb::PossessionRecord { record: vec![1; 32], hashes: vec![1; 32 * hashes], covered: 0 };
        let records = std::iter::repeat_n(of, count).collect();
        Pb::Possession(pb::Possession { turn: pb::PossessionTurn::Asked.into(), records })
    };
    let withdrawn = pb::Leaves {
        packing: pb::Packing::Plain.into(),
        withdrawn: vec![1; 32 * (limits::LEAVES_PER_FRAME + 1)],
        ..pb::Leaves::default()
    };
    let entries = |entries| Pb::Directory(pb::Directory { entries });
    let refused = |count| pb::Refused { leaves: std::iter::repeat_n(pb::RefusedLeaf::default(), count).collect() };
    vec![
        frame("too many ranges", "frame.too-many", reconcile(many(30_000))),
        frame("range of nothing", "frame.missing", reconcile(many(1))),
        frame("items of half a hash", "frame.size", reconcile(vec![range(Content::Items(vec![1; 63]))])),
        frame("too many items", "frame.too-many", reconcile(vec![range(Content::Items(vec![1; 64 * 65_537]))])),
        frame("too many missing", "frame.too-many", reconcile(vec![range(Content::Missing(vec![1; 32 * 65_537]))])),
        frame("too many records in a Have", "frame.too-many", have(records(30_000))),
        frame("a Have of no record", "frame.size", have(records(1))),
        frame("too many records in a question of possession", "frame.too-many", possession(4_097, 0)),
        frame("too many hashes of one record", "frame.too-many", possession(1, limits::HASHES_PER_RECORD + 1)),
        frame("too many hashes of many records", "frame.too-many", possession(9, limits::HASHES_PER_RECORD)),
        frame(
            "a question of possession of no record",
            "frame.size",
            Pb::Possession(pb::Possession {
                turn: pb::PossessionTurn::Answered.into(),
                records: vec![pb::PossessionRecord::default()],
            }),
        ),
        frame("too many withdrawn", "frame.too-many", Pb::Leaves(withdrawn)),
        frame("too many directory entries", "frame.too-many", entries(vec![Vec::new(); 30_000])),
        frame("directory entry of zeros", "frame.directory", entries(vec![vec![0; 60_000]])),
        frame("directory entry of 64 bytes", "frame.directory", entries(vec![vec![1; 64]])),
        frame("directory items by the billion", "frame.directory", entries(vec![items_by_the_billion()])),
        frame("too many refused leaves", "frame.too-many", Pb::Refused(refused(30_000))),
        frame("refused leaf of nothing", "frame.size", Pb::Refused(refused(1))),
    ]
}

/// An entry that says to have 2^40 items.
fn items_by_the_billion() -> Vec<u8> {
    let mut out = Encoder::default();
    out.u8(2).fixed(&[1; 32]).varint(0).fixed(&[1; 32]).i64(0).varint(1 << 40).fixed(&[1; 60_000]);
    out.0
}

/// A hello that is good but for what it declares of kinds.
fn declares(kinds: u32) -> pb::Hello {
    let declared =
        |version| pb::KindDeclaration { kind: "org".to_owned(), version, digest: vec![version.to_le_bytes()[0]; 32] };
    let id = || vec![1; 16];
    pb::Hello {
        realm: id(),
        node: id(),
        store: id(),
        incarnation: id(),
        directory_head: vec![1; 32],
        kinds: (0..kinds).map(declared).collect(),
        ..pb::Hello::default()
    }
}

fn declares_twice() -> pb::Hello {
    let mut hello = declares(1);
    hello.kinds.extend(declares(1).kinds);
    hello
}

fn words() -> Vec<HostileFrame> {
    let refuse = |reason: String| Pb::Refuse(pb::Refuse { code: 5, reason });
    let hello = |program: String| Pb::Hello(pb::Hello { program, ..pb::Hello::default() });
    let raw = |name, expect_code, bytes: &[u8]| HostileFrame { name, expect_code, bytes: bytes.to_vec() };
    vec![
        frame("reason of 64 KB", "frame.too-long", refuse("r".repeat(64_000))),
        frame("hello with kinds by the thousand", "frame.too-many", Pb::Hello(declares(1_000))),
        frame("hello that declares a kind twice", "frame.order", Pb::Hello(declares_twice())),
        frame("hello of nobody", "frame.size", hello("p".repeat(64_000))),
        frame("checkpoint of no sums", "frame.size", Pb::Checkpoint(pb::Checkpoint::default())),
        frame(
            "cursor of no store",
            "frame.size",
            Pb::Welcome(pb::Welcome { cursor: Some(pb::Cursor::default()), ..pb::Welcome::default() }),
        ),
        frame(
            "known commit of noise",
            "frame.known-commit",
            Pb::Welcome(pb::Welcome {
                known_of_you: Some(vec![7; 4_000]),
                statements: vec![0; 32],
                ..pb::Welcome::default()
            }),
        ),
        raw("not protobuf", "frame.protobuf", &[0xff; 1_000]),
        raw("field longer than the message", "frame.protobuf", &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x07]),
        raw("groups in groups", "frame.protobuf", &[0x0b; 60_000]),
        raw("fields of later versions", "ignored", &[0xba, 0x3e, 0x01, 0x00].repeat(15_000)),
        raw("nothing", "ignored", &[]),
    ]
}
