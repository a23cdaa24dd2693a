//! Join tokens as text and join requests as bytes: what somebody pastes, and what a machine that nobody knows sends.

use heliu_record::id::SeatId;
use heliu_trust::id::TokenId;
use heliu_trust::signature::{PublicKey, SealingKey, Signature};
use heliu_trust::token::{JoinRequest, JoinToken};

use super::{Target, bytes, signed};
use crate::author::key;
use crate::dice::Dice;

pub const TOKEN: Target = Target { name: "token", check: check_token, sample: sample_token, spoil: spoil_token };
pub const REQUEST: Target =
    Target { name: "join-request", check: check_request, sample: sample_request, spoil: signed::spoil };

fn check_token(input: &[u8]) -> Result<bool, String> {
    let Ok(text) = std::str::from_utf8(input) else { return Ok(false) };
    let Ok(token) = JoinToken::from_text(text) else { return Ok(false) };
    let written = token.to_text().map_err(|error| format!("what was read cannot be written: {error}"))?;
    let pasted: String = text.split_whitespace().collect();
    if written == pasted { Ok(true) } else { Err("it is written as another text than it was read from".to_owned()) }
}

fn token(dice: &mut Dice) -> JoinToken {
    JoinToken {
        realm_name: "鄄城县".repeat(1 + dice.index(5)),
        root: PublicKey([dice.byte(); 32]),
        seat: SeatId([dice.byte(); 16]),
        seat_code: "371726101201"[..1 + dice.index(12)].to_owned(),
        seat_name: "村".repeat(1 + dice.index(20)),
        id: TokenId([dice.byte(); 16]),
        expires_ms: dice.number().cast_signed(),
        minter: PublicKey([dice.byte(); 32]),
        addresses: (0..dice.index(4)).map(|i| format!("10.0.0.{i}:7000")).collect(),
        signature: Signature([dice.byte(); 64]),
    }
}

fn sample_token(dice: &mut Dice) -> Vec<u8> {
    // These are all short enough.
    token(dice).to_text().unwrap_or_default().into_bytes()
}

/// Somebody who knows the form mends its checksum by writing a whole token; blind changes seldom get past it. So most of
/// what is worth trying inside is tried on requests, which hold a token without one.
fn spoil_token(dice: &mut Dice, input: &[u8]) -> Vec<u8> {
    let mut text = input.to_vec();
    let at = dice.index(text.len() + 1);
    match dice.index(4) {
        0 => drop(text.splice(at..at, *b"\n  ")),
        1 => drop(text.splice(at..at, "\u{3000}".bytes())),
        2 => text.extend(std::iter::repeat_n(b' ', dice.index(5_000))),
        _ => text = bytes::spoil(dice, text, b"heliu-join-1."),
    }
    text
}

fn check_request(input: &[u8]) -> Result<bool, String> {
    let Ok(request) = JoinRequest::decode(input) else { return Ok(false) };
    if request.encode() == input { Ok(true) } else { Err("it encodes to other bytes than it was read from".to_owned()) }
}

fn sample_request(dice: &mut Dice) -> Vec<u8> {
    let addresses = vec!["10.0.0.9:7000".to_owned(); dice.index(8)];
    JoinRequest::sign(token(dice), SealingKey([dice.byte(); 32]), addresses, &key("joins")).encode()
}
