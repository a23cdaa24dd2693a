//! A machine joins, or is told why it does not.

use heliu_record::seats::{Seat, Tier};
use proptest::prelude::*;

use super::*;
use crate::directory::{Fence, Used};
use crate::ed25519::{Ed25519, Ed25519Key};
use crate::id::seat_id;

const NAME: &str = "鄄城";
const CODES: [&str; 3] = ["371726000000", "371726101000", "371726101201"];
const NOW: i64 = 1_000_000;
const ADDRESS: &str = "10.1.2.3:7340";

fn key(number: u8) -> Ed25519Key {
    Ed25519Key::from_seed([number; 32])
}

fn root() -> Ed25519Key {
    key(200)
}

fn issuer() -> Ed25519Key {
    key(201)
}

fn minter() -> Ed25519Key {
    key(1)
}

fn newcomer() -> Ed25519Key {
    key(9)
}

fn realm() -> RealmId {
    realm_id(&root().public_key(), NAME)
}

fn seat(at: usize) -> SeatId {
    seat_id(&realm(), CODES[at])
}

fn enter(directory: &mut Directory, items: Vec<Item>, signer: &Ed25519Key) {
    let entry = directory.draft(items, 0, &[signer]).expect("drafts");
    directory.append(&entry, &Ed25519).expect("appends");
}

/// County, township and village; a node at the county, and one at the township.
fn directory() -> Directory {
    let tiers = [Tier::County, Tier::Township, Tier::Village];
    let seats = (0..3usize).map(|at| {
        let parent = at.checked_sub(1).map(seat);
        let (code, name) = (CODES[at].to_owned(), format!("席位{at}"));
        Item::Seat(Seat { id: seat(at), code, name, parent, tier: tiers[at] })
    });
    let nodes = [(1, 0), (2, 1)].map(|(number, at)| Item::enrol(&key(number), seat(at), sealing(number), Vec::new()));
    let mut directory = Directory::new(realm(), root().public_key());
    let named = Item::Issuer { key: issuer().public_key() };
    enter(&mut directory, seats.chain(nodes).chain([named]).collect(), &root());
    directory
}

fn sealing(number: u8) -> SealingKey {
    SealingKey([number; 32])
}

fn token_for(at: usize, minter: &Ed25519Key) -> JoinToken {
    let addresses = vec![ADDRESS.to_owned()];
    let token = JoinToken::mint(&directory(), NAME, seat(at), TokenId([7; 16]), NOW + 10, addresses, minter);
    token.expect("there is such a seat")
}

fn token() -> JoinToken {
    token_for(2, &minter())
}

fn request(token: JoinToken) -> JoinRequest {
    JoinRequest::sign(token, sealing(9), vec![ADDRESS.to_owned()], &newcomer())
}

fn judge(request: &JoinRequest, directory: &Directory) -> Result<Item, JoinError> {
    judge_join(request, directory, NOW, &Ed25519)
}

#[test]
fn a_machine_joins_with_a_token_that_somebody_copied_by_hand() {
    let text = token().to_text().expect("it is short enough");
    assert!(text.starts_with(PREFIX) && text.len() < 600, "{text}");
    let (head, tail) = text.split_at(100);
    let pasted = JoinToken::from_text(&format!(" {head}\n   {tail}\r\n")).expect("it reads");
    assert_eq!(pasted, token());
    assert_eq!((pasted.realm(), pasted.seat_name.as_str()), (realm(), "席位2"));

    let request = JoinRequest::decode(&request(pasted).encode()).expect("it reads");
    let mut directory = directory();
    let item = judge(&request, &directory).expect("nothing speaks against it");
    enter(&mut directory, vec![item], &issuer());
    let info = directory.node(newcomer().node()).expect("is enrolled");
    assert_eq!((info.seat, info.sealing, info.addresses[0].as_str()), (seat(2), sealing(9), ADDRESS));
    let used = Used { node: Some(newcomer().node()), index: 1 };
    assert_eq!(directory.token_used(TokenId([7; 16])), Some(used));
    assert_eq!(judge(&request, &directory), Err(JoinError::Used { node: newcomer().node() }), "once");
}

#[test]
fn each_refusal_says_why() {
    let directory = directory();
    let good = || request(token());
    let refused = |request: &JoinRequest| judge(request, &directory).expect_err("is refused");

    let other_root = JoinToken { root: key(77).public_key(), ..token() };
    assert_eq!(refused(&request(other_root)), JoinError::Foreign);
    let other_name = JoinToken { realm_name: "巨野".to_owned(), ..token() };
    assert_eq!(refused(&request(other_name)), JoinError::Foreign);

    let late = judge_join(&good(), &directory, NOW + 11, &Ed25519);
    assert_eq!(late, Err(JoinError::Expired { expires_ms: NOW + 10 }));
    let prolonged = JoinToken { expires_ms: NOW + 1_000, ..token() };
    assert_eq!(refused(&request(prolonged)), JoinError::BadSignature);
    let promoted = JoinToken { seat: seat(0), ..token() };
    assert_eq!(refused(&request(promoted)), JoinError::BadSignature);
    let another_key = JoinRequest { key: key(8).public_key(), ..good() };
    assert_eq!(refused(&another_key), JoinError::BadSignature, "a token in a stranger's name");
    let another_sealing = JoinRequest { sealing: sealing(8), ..good() };
    assert_eq!(refused(&another_sealing), JoinError::BadSignature);

    let township = token_for(2, &key(2));
    assert_eq!(refused(&request(township.clone())), JoinError::NotAllowed(key(2).node()), "not delegated");
    assert_eq!(refused(&request(token_for(2, &key(77)))), JoinError::NotAllowed(key(77).node()), "a stranger");
    let mut delegated = directory.clone();
    enter(&mut delegated, vec![Item::Delegate { seat: seat(1), active: true }], &issuer());
    assert!(judge(&request(township), &delegated).is_ok());
    assert_eq!(judge(&request(token_for(0, &key(2))), &delegated), Err(JoinError::NotAllowed(key(2).node())));
    let mut fenced = directory.clone();
    enter(&mut fenced, vec![Item::Fence(Fence::new(minter().node(), Vec::new(), Vec::new()))], &issuer());
    assert_eq!(judge(&good(), &fenced), Err(JoinError::NotAllowed(minter().node())));

    let mut revoked = directory.clone();
    enter(&mut revoked, vec![Item::Token { id: TokenId([7; 16]) }], &issuer());
    assert_eq!(judge(&good(), &revoked), Err(JoinError::Revoked));
    let twice = JoinRequest::sign(token(), sealing(2), Vec::new(), &key(2));
    assert_eq!(refused(&twice), JoinError::NodeTwice(key(2).node()));
    let mut unsigned = token();
    unsigned.seat = SeatId([3; 16]);
    unsigned.signature = minter().sign(&unsigned.approval("ed25519").message(realm(), unsigned.seat));
    assert_eq!(refused(&request(unsigned)), JoinError::NoSeat);

    let mut careful = directory.clone();
    enter(&mut careful, vec![Item::Policy { two_signatures: true }], &issuer());
    assert!(judge(&good(), &careful).is_ok(), "the first node of its seat");
    let second = request(token_for(1, &minter()));
    assert_eq!(judge(&second, &careful), Err(JoinError::NeedsSecondSignature));
}

#[test]
fn a_typing_error_is_told_from_what_is_no_token() {
    let text = token().to_text().expect("it is short enough");
    let read = |text: &str| JoinToken::from_text(text).expect_err("is refused");
    assert_eq!(read("hello"), TokenTextError::NotAToken);
    assert_eq!(read(""), TokenTextError::NotAToken);
    assert_eq!(read(PREFIX), TokenTextError::Typo);
    assert_eq!(read(&text[..text.len() - 3]), TokenTextError::Typo, "not copied whole");
    assert_eq!(read(&text.replacen('A', "B", 1)), TokenTextError::Typo);
    assert_eq!(read(&format!("{text}=")), TokenTextError::Typo);
    assert_eq!(read(&format!("{PREFIX}{}", "A".repeat(TEXT_MAX))), TokenTextError::TooLong);
    let mut other = vec![9];
    let sum = checksum(&other);
    other.extend_from_slice(&sum);
    assert!(matches!(read(&format!("{PREFIX}{}", BASE64.encode(other))), TokenTextError::Unreadable(_)));
    let long = JoinToken { addresses: vec!["x".repeat(255); 8], ..token() };
    assert_eq!(long.to_text(), Err(TokenTextError::TooLong));
    let escape = JoinToken { seat_name: "\u{1b}[2J".to_owned(), ..token() };
    assert!(matches!(escape.to_text(), Err(TokenTextError::Unreadable(_))));
}

proptest! {
    #[test]
    fn one_wrong_character_is_a_typo(at in 0usize..2_000, with in "[A-Za-z0-9_-]") {
        let text = token().to_text().expect("it is short enough");
        let at = PREFIX.len() + at % (text.len() - PREFIX.len());
        prop_assume!(text[at..=at] != with);
        let wrong = format!("{}{with}{}", &text[..at], &text[at + 1..]);
        prop_assert_eq!(JoinToken::from_text(&wrong), Err(TokenTextError::Typo));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "(heliu-join-1\\.)?[A-Za-z0-9_=\\- \n]{0,300}") {
        let _ = JoinToken::from_text(&text);
    }

    /// Nobody who carries a request changes it.
    #[test]
    fn a_tampered_request_is_refused(
        flips in prop::collection::vec((0usize..2_000, 1u8..), 1..6),
        cut in 0usize..4,
    ) {
        let mut bytes = request(token()).encode();
        let len = bytes.len();
        flips.iter().for_each(|(at, flip)| bytes[at % len] ^= flip);
        prop_assume!(bytes != request(token()).encode() || cut > 0);
        bytes.truncate(len - cut);
        if let Ok(read) = JoinRequest::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
            prop_assert!(judge(&read, &directory()).is_err());
        }
    }
}
