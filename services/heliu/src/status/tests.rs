//! What is said of neighbours: when they were equal, what went wrong, what others named, in both languages.

use heliu_client::records::{Label, Reason, Seat};

use super::*;
use crate::text::{Language, codes_in, speaking};

fn link(state: LinkState) -> Link {
    let ago = |minutes: i64| time::now_ms() - minutes * 60_000;
    let label = |zh: &str, en: &str| Some(Label { zh: zh.to_owned(), en: en.to_owned() });
    Link {
        address: "10.0.0.1:7340".to_owned(),
        role: LinkRole::Parent.into(),
        state: state.into(),
        verified_since_ms: Some(ago(180)),
        verified_last_ms: Some(ago(2)),
        last_error: "h2 protocol error: error reading a body from connection".to_owned(),
        last_error_ms: Some(ago(300)),
        last_error_code: "lost".to_owned(),
        last_error_label: label("连接中断", "the connection broke"),
        last_error_over: state == LinkState::Live,
        ..Link::default()
    }
}

#[test]
fn in_chinese_no_code_of_a_node_and_its_links_is_left() {
    let seat = Seat {
        code: "371726101000".to_owned(),
        name: "什集镇".to_owned(),
        tier: "township".to_owned(),
        ..Seat::default()
    };
    let why = |code: &str, facts: &[(&str, &str)]| {
        let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Reason { code: code.to_owned(), facts }
    };
    let turned_away = [why("bad_token", &[]), why("expired", &[("until_ms", "0"), ("clock_ms", "60000")])];
    let turned_away = turned_away.map(|why| RefusedPeer {
        why: Some(why),
        address: "10.0.0.1:1".to_owned(),
        ..RefusedPeer::default()
    });
    let status = GetStatusResponse {
        seat: Some(seat.clone()),
        refusals: 2,
        recent_refusals: turned_away.to_vec(),
        read_only: Some(why("store.quota", &[("file", "/var/lib/heliu"), ("quota_mib", "64")])),
        problems: vec![
            why("access.form", &[("file", "/etc/heliu/access.json")]),
            why("file.not-permitted", &[("file", "/etc/heliu/tls.key")]),
        ],
        alarms: 1,
        ..GetStatusResponse::default()
    };
    let links: Vec<Link> = [LinkState::Live, LinkState::CatchingUp, LinkState::Refused, LinkState::Down]
        .map(|state| Link {
            state: state.into(),
            role: LinkRole::Parent.into(),
            peer_seat: Some(seat.clone()),
            ..Link::default()
        })
        .to_vec();
    let verdicts = [Outcome::Equal, Outcome::MovedOn, Outcome::NotConnected]
        .map(|outcome| Verification { outcome: outcome.into(), ..Verification::default() });
    speaking(Language::Zh, || {
        let said = status_told(&status, &links) + &peers_told(&links) + &verify_told(&verdicts, 1);
        assert_eq!(codes_in(&said), [""; 0], "{said}");
        assert!(said.contains("只读:已达到存储配额(文件:/var/lib/heliu,配额:64.0 MiB)"), "{said}");
        assert!(said.contains("节点的用户没有权限读它(文件:/etc/heliu/tls.key)"), "{said}");
    });
}

const SPOOF: &str = "go away\u{1b}[2J\u{1b}]0;owned\u{7}\nall 1 link(s) equal\u{202e}";

#[test]
fn a_peers_words_are_not_told_and_what_is_told_of_others_is_on_one_line_and_moves_no_cursor() {
    let link = |state: LinkState| Link {
        role: LinkRole::Parent.into(),
        state: state.into(),
        address: "10.0.0.1:7340".to_owned(),
        last_error: SPOOF.to_owned(),
        last_error_ms: Some(time::now_ms()),
        ..Link::default()
    };
    let links = [link(LinkState::Refused), link(LinkState::Down)];
    for told in [peers_told(&links), status_told(&GetStatusResponse::default(), &links)] {
        assert!(!told.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), "{told:?}");
        assert!(!told.contains("go away") && !told.contains("all 1 link"), "{told}");
    }
    let why = Reason { code: SPOOF.to_owned(), facts: [("path".to_owned(), SPOOF.to_owned())].into_iter().collect() };
    let status = GetStatusResponse { read_only: Some(why), ..GetStatusResponse::default() };
    let told = status_told(&status, &[]);
    assert!(!told.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), "{told:?}");
    assert!(!told.contains("\nall 1 link") && !told.contains("READ-ONLY: go away"), "{told}");
}

#[test]
fn since_when_two_are_equal_and_when_they_were_compared_are_both_told() {
    let told = peers_told(&[link(LinkState::Live)]);
    assert!(told.contains("equal since") && told.contains("checked"), "{told}");
    assert!(told.contains(&time::ago(time::now_ms() - 180 * 60_000)), "{told}");
    assert!(told.contains(&time::ago(time::now_ms() - 120_000)), "{told}");
    let shape = link_shape(&link(LinkState::Live));
    assert!(shape["verified_since"].is_string() && shape["verified_last"] != shape["verified_since"], "{shape}");
}

#[test]
fn whoever_knows_other_kinds_is_told_to_hold_the_same_and_not_to_judge_it_alike() {
    let held = Link { held_only: true, ..link(LinkState::Live) };
    assert!(peers_told(std::slice::from_ref(&held)).contains("(held only)"));
    assert!(!peers_told(&[link(LinkState::Live)]).contains("held only"));
    assert_eq!(link_shape(&held)["held_only"], true);
    let verdict = Verification { outcome: Outcome::HeldEqual.into(), ..Verification::default() };
    let told = verify_told(std::slice::from_ref(&verdict), 1);
    assert!(told.contains("hold the same") && told.contains("what they make of it was not"), "{told}");
    speaking(Language::Zh, || assert!(verify_told(&[verdict], 1).contains("判断结果未核对")));
}

#[test]
fn an_error_that_is_over_says_so_with_its_time_and_none_is_in_the_words_of_a_library() {
    let over = last_error_told(&link(LinkState::Live));
    assert!(over.ends_with(", over: the connection broke"), "{over}");
    let still = last_error_told(&link(LinkState::Down));
    assert!(still.ends_with(": the connection broke") && !still.contains("over"), "{still}");
    for state in [LinkState::Live, LinkState::Down] {
        assert!(!peers_told(&[link(state)]).contains("h2 protocol error"));
    }
    let shape = link_shape(&link(LinkState::Live));
    assert_eq!((&shape["last_error_over"], &shape["last_error_code"]), (&json!(true), &json!("lost")));
    assert_eq!(shape["last_error_label"]["zh"], "连接中断");
}

#[test]
fn a_link_to_a_wrong_parent_is_told_wherever_links_are() {
    let wrong = Link { misplaced: true, role: LinkRole::Peer.into(), ..link(LinkState::Live) };
    let peers = peers_told(std::slice::from_ref(&wrong));
    assert!(peers.contains("not above this seat") && peers.contains("links.parents"), "{peers}");
    let status = status_told(&GetStatusResponse::default(), std::slice::from_ref(&wrong));
    assert!(status.contains("1 to a wrong parent") && status.contains("0 proven equal"), "{status}");
    let verdict = Verification { outcome: Outcome::Equal.into(), misplaced: true, ..Verification::default() };
    assert!(verify_told(std::slice::from_ref(&verdict), 0).contains("links.parents"));
}

#[test]
fn a_verdict_says_so_while_the_sums_behind_it_are_not_proven_yet() {
    let early = Verification { outcome: Outcome::Equal.into(), ..Verification::default() };
    let told = verify_told(std::slice::from_ref(&early), 1);
    assert!(told.contains("1 of 1 link(s) equal") && told.contains("Sums not yet proven"), "{told}");
    assert_eq!(verdict_shape(&early)["sums_proven"], false);
    let proven = Verification { sums_proven: true, ..early };
    assert!(!verify_told(std::slice::from_ref(&proven), 1).contains("proven"));
}
