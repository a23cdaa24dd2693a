//! Every frame goes there and back over real protobuf bytes; what is beyond a limit is refused.

use std::fmt::Debug;
use std::sync::Arc;

use heliu_record::gate::KindDigest;
use heliu_record::id::SeatId;
use heliu_replication::frame::{
    Checkpoint, Compared, DeliveredLeaf, Delivery, Have, Outside, Possession, PossessionRecord, PossessionTurn, Range,
    RangeContent, Reconcile, Sums, Turn, Verdict, WIRE_VERSIONS,
};
use heliu_storage::StoreId;
use heliu_trust::id::{CommitId, DirectoryVersion, Incarnation, NodeId, RealmId};
use prost::Message as _;

use super::*;

fn there_and_back(frame: &Frame) -> Result<Frame, FrameError> {
    let bytes = pb::LinkRequest::from(frame).encode_to_vec();
    assert_eq!(bytes, pb::LinkResponse::from(frame).encode_to_vec());
    Frame::try_from(pb::LinkRequest::decode(bytes.as_slice()).expect("it is protobuf"))
}

fn refused(frame: PbFrame) -> FrameError {
    Frame::try_from(pb::Frame { frame: Some(frame) }).expect_err("it is beyond a limit")
}

fn known_commit() -> heliu_trust::commit::SignedCommit {
    use heliu_trust::commit::{Commit, SignedCommit};
    let commit = Commit {
        realm: RealmId([1; 16]),
        author: NodeId([2; 16]),
        incarnation: Incarnation([4; 16]),
        seq: 7,
        previous: Some(CommitId([8; 32])),
        versions: vec![(SeatId([5; 16]), DirectoryVersion([6; 32]))],
        time_ms: 9,
        leaves: vec![LeafHash([3; 32])],
    };
    SignedCommit::sign(commit, &heliu_trust::simulated::CheapKey([9; 32]))
}

fn hello() -> Hello {
    Hello {
        realm: RealmId([1; 16]),
        node: NodeId([2; 16]),
        store: StoreId([3; 16]),
        incarnation: Incarnation([4; 16]),
        versions: (*WIRE_VERSIONS.start(), *WIRE_VERSIONS.end()),
        directory_len: 5,
        directory_head: DirectoryVersion([6; 32]),
        kinds: heliu_catalogue::catalogue().digests().clone(),
        program: "heliu 0.1.0".into(),
        now_ms: Some(1_700_000_000_000),
    }
}

fn leaves(sequence: u64) -> Leaves {
    Leaves { sequence, delivery: Delivery::default(), withdrawn: Vec::new(), through: None }
}

fn question(ranges: Vec<pb::Range>) -> pb::Reconcile {
    pb::Reconcile { ranges, turn: pb::Turn::Question.into(), compared: pb::Compared::Records.into() }
}

fn frames() -> Vec<Frame> {
    let range = |content| Range { from: RecordId([1; 32]), to: None, content };
    let cursor = Cursor { store: StoreId([3; 16]), incarnation: Incarnation([4; 16]), position: u64::MAX };
    let checkpoint = Checkpoint {
        mine: 1,
        yours: 2,
        sums: Sums { records: 3, held: Sum([4; 32]), admitted: Sum([5; 32]) },
        statements: Sum([6; 32]),
        directory: DirectoryVersion([7; 32]),
    };
    let of = |record, hashes, covered| PossessionRecord { record: RecordId([record; 32]), hashes, covered };
    let refused = RefusedLeaf { leaf: LeafHash([1; 32]), code: "WRITER".into(), reason: "不是本单位".into() };
    vec![
        Frame::Hello(hello()),
        Frame::Refuse(Refuse { code: RefuseCode::StoreFailed, reason: "the disk is full".into() }),
        Frame::Directory(Vec::new()),
        Frame::Outside(Outside { records: vec![RecordId([1; 32])], no_longer: vec![RecordId([2; 32])] }),
        Frame::Welcome(Welcome::default()),
        Frame::Welcome(Welcome {
            cursor: Some(cursor),
            known_of_you: Some(Arc::new(known_commit())),
            statements: Sum([9; 32]),
        }),
        Frame::Reconcile(Reconcile {
            compared: Compared::Records,
            ranges: vec![
                range(RangeContent::Fingerprint { count: 3, sum: Sum([9; 32]) }),
                range(RangeContent::Items(vec![(RecordId([1; 32]), Sum([2; 32])), (RecordId([3; 32]), Sum([4; 32]))])),
                range(RangeContent::Items(Vec::new())),
                Range { to: Some(RecordId([9; 32])), ..range(RangeContent::Missing(vec![RecordId([5; 32])])) },
            ],
            turn: Turn::Question,
        }),
        Frame::Reconcile(Reconcile { ranges: Vec::new(), compared: Compared::Scopes, turn: Turn::Begin }),
        Frame::Reconcile(Reconcile { ranges: Vec::new(), compared: Compared::Scopes, turn: Turn::Part }),
        Frame::Reconcile(Reconcile { ranges: Vec::new(), compared: Compared::Scopes, turn: Turn::Answer }),
        Frame::Reconcile(Reconcile { ranges: Vec::new(), compared: Compared::Scopes, turn: Turn::Done }),
        Frame::Have(Have {
            records: vec![(RecordId([1; 32]), vec![[1; 8], [2; 8]]), (RecordId([2; 32]), Vec::new())],
            reply: true,
        }),
        Frame::Possession(Possession { turn: PossessionTurn::Asked, records: vec![of(1, vec![[2; 32], [3; 32]], 0)] }),
        Frame::Possession(Possession {
            turn: PossessionTurn::Answered,
            records: vec![of(1, vec![[3; 32]], 2), of(4, Vec::new(), 9)],
        }),
        Frame::Leaves(Leaves { through: Some(0), ..leaves(9) }),
        Frame::Leaves(Leaves { withdrawn: vec![RecordId([1; 32]), RecordId([2; 32])], ..leaves(10) }),
        Frame::Ack { sequence: 0 },
        Frame::Refused(vec![refused]),
        Frame::Checkpoint(checkpoint),
        Frame::Verdict(Verdict::Equal),
        Frame::Verdict(Verdict::HeldEqual),
        Frame::Verdict(Verdict::JudgedDifferently),
        Frame::Verdict(Verdict::Different),
        Frame::Verdict(Verdict::MovedOn),
        Frame::Statements(Statements::default()),
        Frame::Statements(Statements {
            have: vec![[1; 8], [2; 8]],
            reply: true,
            statements: vec![b"a statement".to_vec(), Vec::new()],
        }),
        Frame::Join(b"a request".to_vec()),
        Frame::JoinRefused(JoinRefused { token: [7; 16], code: "EXPIRED".into(), reason: "令牌已过期".into() }),
        Frame::Clock(-1),
        Frame::Unknown,
    ]
}

#[test]
fn every_frame_goes_there_and_back() {
    for frame in frames() {
        assert_eq!(there_and_back(&frame), Ok(frame));
    }
}

#[test]
fn every_reason_to_refuse_goes_there_and_back() {
    use RefuseCode::{
        DirectoryForked, Fenced, Itself, NoCommonVersion, OtherRealm, Protocol, ShuttingDown, StoreFailed, UnknownNode,
        WrongIdentity,
    };
    let first = [OtherRealm, UnknownNode, NoCommonVersion, DirectoryForked, Protocol];
    for code in first.into_iter().chain([Itself, ShuttingDown, StoreFailed, Fenced, WrongIdentity]) {
        let frame = Frame::Refuse(Refuse { code, reason: String::new() });
        assert_eq!(there_and_back(&frame), Ok(frame));
    }
}

#[test]
fn a_frame_of_a_later_version_is_ignored() {
    // Field 999 of Frame, as a later version might add.
    let frame = pb::Frame::decode([0xba, 0x3e, 0x01, 0x00].as_slice()).expect("it is protobuf");
    assert_eq!(Frame::try_from(frame), Ok(Frame::Unknown));
    let turn = PbFrame::Reconcile(pb::Reconcile { ranges: Vec::new(), compared: 1, turn: 99 });
    assert_eq!(Frame::try_from(pb::Frame { frame: Some(turn) }), Ok(Frame::Unknown));
    let compared = PbFrame::Reconcile(pb::Reconcile { ranges: Vec::new(), compared: 99, turn: 1 });
    assert_eq!(Frame::try_from(pb::Frame { frame: Some(compared) }), Ok(Frame::Unknown));
    let verdict = PbFrame::Verdict(pb::Verdict { comparison: 99 });
    assert_eq!(Frame::try_from(pb::Frame { frame: Some(verdict) }), Ok(Frame::Unknown));
}

#[test]
fn a_reason_of_a_later_version_still_ends_the_link() {
    let refuse = PbFrame::Refuse(pb::Refuse { code: 99, reason: "fenced".into() });
    let expected = Refuse { code: RefuseCode::Protocol, reason: "fenced".into() };
    assert_eq!(Frame::try_from(pb::Frame { frame: Some(refuse) }), Ok(Frame::Refuse(expected)));
}

#[test]
fn words_without_end_are_cut_when_sent_and_refused_when_received() {
    let reason = "长".repeat(limits::REASON_BYTES);
    let frame = Frame::Refuse(Refuse { code: RefuseCode::Protocol, reason: reason.clone() });
    let Ok(Frame::Refuse(refuse)) = there_and_back(&frame) else { panic!("it arrives") };
    assert!(reason.starts_with(&refuse.reason) && refuse.reason.len() > limits::REASON_BYTES - 4);
    let what = refused(PbFrame::Refuse(pb::Refuse { code: 5, reason }));
    assert_eq!(what, FrameError::TooLong { what: "the reason", max: limits::REASON_BYTES });
}

#[test]
fn more_than_a_frame_may_have_is_refused() {
    let too_many = |error: FrameError| matches!(error, FrameError::TooMany { .. });
    let entries = vec![Vec::new(); limits::DIRECTORY_ENTRIES_PER_FRAME + 1];
    assert!(too_many(refused(PbFrame::Directory(pb::Directory { entries }))));
    let leaves = vec![pb::RefusedLeaf::default(); limits::LEAVES_PER_FRAME + 1];
    assert!(too_many(refused(PbFrame::Refused(pb::Refused { leaves }))));
    let ranges = vec![pb::Range::default(); limits::RANGES_PER_FRAME + 1];
    assert!(too_many(refused(PbFrame::Reconcile(question(ranges)))));
    let records = vec![pb::HaveRecord::default(); limits::RECORDS_PER_HAVE + 1];
    assert!(too_many(refused(PbFrame::Have(pb::Have { records, reply: false }))));
    let statements = vec![Vec::new(); limits::STATEMENTS_PER_FRAME + 1];
    assert!(too_many(refused(PbFrame::Statements(pb::Statements { statements, ..Default::default() }))));
    let have = vec![0; (limits::STATEMENTS_PER_HAVE + 1) * 8];
    assert!(too_many(refused(PbFrame::Statements(pb::Statements { have, ..Default::default() }))));
}

#[test]
fn what_is_opaque_is_bounded_too() {
    let too_long = |error: FrameError| matches!(error, FrameError::TooLong { .. });
    let statements = vec![Vec::new(), vec![0; limits::STATEMENT_BYTES + 1]];
    assert!(too_long(refused(PbFrame::Statements(pb::Statements { statements, ..Default::default() }))));
    assert!(too_long(refused(PbFrame::Join(pb::Join { request: vec![0; limits::JOIN_BYTES + 1] }))));
    let code = "x".repeat(CODE_BYTES + 1);
    let no = pb::JoinRefused { token: vec![0; 16], code, reason: String::new() };
    assert!(too_long(refused(PbFrame::JoinRefused(no))));
    assert!(there_and_back(&Frame::Join(vec![0; limits::JOIN_BYTES])).is_ok());
}

#[test]
fn items_are_counted_over_all_ranges_of_a_frame() {
    let half = |content: fn(Vec<u8>) -> pb::range::Content, each: usize| pb::Range {
        from: vec![0; 32],
        to: Vec::new(),
        content: Some(content(vec![0; (limits::ITEMS_PER_FRAME / 2 + 1) * each])),
    };
    let ranges = vec![half(pb::range::Content::Items, 64), half(pb::range::Content::Missing, 32)];
    let error = refused(PbFrame::Reconcile(question(ranges.clone())));
    assert_eq!(error, FrameError::TooMany { what: "missing records", max: limits::ITEMS_PER_FRAME });
    assert!(to_reconcile(question(ranges[..1].to_vec())).is_ok());
    let record = pb::HaveRecord { record: vec![0; 32], leaves: vec![0; (limits::LEAVES_PER_HAVE / 2 + 1) * 8] };
    let error = refused(PbFrame::Have(pb::Have { records: vec![record.clone(), record], reply: false }));
    assert_eq!(error, FrameError::TooMany { what: "leaves", max: limits::LEAVES_PER_HAVE });
}

#[test]
fn every_list_is_cut_into_frames_that_the_other_end_takes() {
    let (low, high) = (RecordId([0; 32]), RecordId([255; 32]));
    let range = |content| Range { from: low, to: Some(high), content };
    let items = |count| range(RangeContent::Items(vec![(low, Sum([2; 32])); count]));
    let missing = |count| range(RangeContent::Missing(vec![high; count]));
    let fingerprint = || range(RangeContent::Fingerprint { count: u64::MAX, sum: Sum([9; 32]) });
    let lists = [
        vec![items(32); 20_000],
        vec![items(1); 20_000],
        vec![items(limits::ITEMS_PER_FRAME / 2); 3],
        vec![missing(32); 20_000],
        vec![missing(limits::ITEMS_PER_FRAME); 2],
        vec![fingerprint(); 20_000],
    ];
    for list in lists {
        for ranges in Reconcile::cut(list) {
            assert_fits(&Frame::Reconcile(Reconcile { ranges, compared: Compared::Records, turn: Turn::Part }));
        }
    }
    let have = |leaves| (low, vec![[1; 8]; leaves]);
    for list in [vec![have(1); 20_000], vec![have(0); 20_000], vec![have(limits::LEAVES_PER_HAVE); 3]] {
        for records in Have::cut(list) {
            assert_fits(&Frame::Have(Have { records, reply: true }));
        }
    }
    let many = Statements { have: vec![[1; 8]; limits::STATEMENTS_PER_HAVE], reply: true, statements: Vec::new() };
    assert_fits(&Frame::Statements(many));
    for (count, bytes) in [(20_000, 0), (20_000, 200), (1_000, limits::STATEMENT_BYTES)] {
        for statements in Statements::cut(vec![vec![7; bytes]; count]) {
            assert_fits(&Frame::Statements(Statements { statements, ..Statements::default() }));
        }
    }
}

fn assert_fits(frame: &Frame) {
    assert!(pb::LinkRequest::from(frame).encoded_len() <= MESSAGE_BYTES_MAX);
    assert!(there_and_back(frame).is_ok());
}

#[test]
fn what_a_program_declares_of_kinds_has_one_form_and_a_limit() {
    let declared = |kind: &str, version| pb::KindDeclaration { kind: kind.to_owned(), version, digest: vec![1; 32] };
    let hears = |kinds| Hello::try_from(pb::Hello { kinds, ..pb::Hello::from(&hello()) }).map(|hello| hello.kinds);
    let kinds = hears(vec![declared("a", 2), declared("a", 10), declared("b", 1)]).expect("it is in order");
    assert_eq!((kinds.get("a", 10), kinds.get("b", 2)), (Some(KindDigest([1; 32])), None));
    assert_eq!(
        hears((0..256).map(|version| declared("a", version)).collect()).map(|kinds| kinds.iter().count()),
        Ok(256)
    );
    let refused = [
        (0..257).map(|version| declared("a", version)).collect(),
        vec![declared("b", 1), declared("a", 1)],
        vec![declared("a", 1); 2],
        vec![declared(&"k".repeat(65), 1)],
        vec![pb::KindDeclaration { digest: vec![1; 31], ..declared("a", 1) }],
    ];
    for kinds in refused {
        let hears = hears(kinds.clone());
        assert!(hears.is_err(), "{hears:?}");
    }
}

#[test]
fn a_leaf_goes_with_the_declaration_that_is_to_judge_it_and_with_one_alone() {
    let preimage = Arc::new(heliu_record::id::Preimage { kind: "org".into(), birth: SeatId([1; 16]), key: vec![1] });
    let leaf = |byte, declared: Option<u8>| DeliveredLeaf {
        preimage: Arc::clone(&preimage),
        commit: 0,
        kind_version: 1,
        declared: declared.map(|byte| KindDigest([byte; 32])),
        change: Arc::from([byte; 3]),
    };
    let commits = vec![Arc::new(known_commit())];
    let all = vec![leaf(1, None), leaf(2, Some(9)), leaf(3, Some(8)), leaf(4, Some(9))];
    let sent = Leaves { delivery: Delivery { commits, leaves: all, grants: Vec::new() }, ..leaves(1) };
    assert_eq!(there_and_back(&Frame::Leaves(sent.clone())), Ok(Frame::Leaves(sent.clone())));

    let tagged = |byte, leaves: &[u32]| pb::DeclaredLeaves { digest: vec![byte; 32], leaves: leaves.to_vec() };
    for declared in [
        vec![tagged(9, &[1]), tagged(8, &[2])],
        vec![tagged(8, &[2]), tagged(8, &[3])],
        vec![tagged(8, &[2]), tagged(9, &[2])],
        vec![tagged(8, &[3, 2])],
        vec![tagged(8, &[4])],
        vec![tagged(8, &[])],
        vec![pb::DeclaredLeaves { digest: vec![8; 16], leaves: vec![0] }],
    ] {
        let hears = Leaves::try_from(pb::Leaves { declared, ..pb::Leaves::from(&sent) });
        assert!(hears.is_err(), "{hears:?}");
    }
}

#[test]
fn ids_of_a_wrong_size_are_refused() {
    fn size<T: Debug>(result: &Result<T, FrameError>) {
        assert!(matches!(result, Err(FrameError::Size { .. })), "{result:?}");
    }
    size(&Hello::try_from(pb::Hello { realm: vec![0; SeatId::LEN + 1], ..pb::Hello::from(&hello()) }));
    size(&Hello::try_from(pb::Hello { directory_head: Vec::new(), ..pb::Hello::from(&hello()) }));
    let withdrawn = pb::Leaves { withdrawn: vec![0; 33], ..pb::Leaves::from(&leaves(1)) };
    size(&Leaves::try_from(withdrawn));
    size(&Checkpoint::try_from(pb::Checkpoint::default()));
    size(&Welcome::try_from(pb::Welcome::default()));
    size(&Statements::try_from(pb::Statements { have: vec![0; 9], ..Default::default() }));
    size(&JoinRefused::try_from(pb::JoinRefused { token: vec![0; 15], ..Default::default() }));
    let content = Some(pb::range::Content::Items(vec![0; 65]));
    let ranges = vec![pb::Range { from: vec![0; 32], to: Vec::new(), content }];
    size(&to_reconcile(question(ranges)));
}
