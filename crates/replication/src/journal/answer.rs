//! The answer to a command as it is stored beside it, to be given again to who asks the same again. It is as large as what
//! the command wrote, and little larger: a leaf and a record for each change, their commits, and what was asked, as a digest.

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::command::{CommandId, Refusal, Request};
use heliu_record::hash::{hash, hash16};
use heliu_record::id::{LeafHash, RecordId};
use heliu_trust::id::CommitId;
use zeroize::Zeroizing;

use crate::effect::Done;

/// The secret that digests of commands are made with. Commands bring values to be sealed in the clear, and a telephone
/// number is quickly tried out: whoever has the store alone must not be able to.
pub(crate) struct DigestKey(pub Zeroizing<[u8; 32]>);

/// What a command asks for: its name, its record and its arguments. Not who asks and for what reason: who repeats a
/// colleague's command, or imports a file that has another name now, asks for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Which key the digest was made with.
    by: [u8; 16],
    digest: [u8; 32],
}

impl DigestKey {
    pub(super) fn digest(&self, request: &Request) -> Asked {
        let subject = request.subject.as_ref().map_or(&[][..], |subject| &subject.0);
        let on_behalf = request.on_behalf.as_ref().map_or(&[][..], |seat| &seat.0);
        let mut parts: Vec<&[u8]> = vec![&*self.0, request.name.as_bytes(), subject, on_behalf];
        parts.extend(request.arguments.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
        let inner = Zeroizing::new(hash("heliu command 1", &parts));
        // Twice, so that a digest says nothing of what one of more arguments would be.
        let digest = hash("heliu command digest 1", &[&*self.0, &*inner]);
        Asked { by: hash16("heliu command digest key 1", &[&*self.0]), digest }
    }
}

impl Asked {
    /// Of digests by different keys nothing can be said: the node's secret was replaced meanwhile.
    pub fn differs_from(&self, other: &Asked) -> bool {
        self.by == other.by && self.digest != other.digest
    }
}

/// The answer to the earlier command would be taken for the answer to this one.
pub(crate) fn reused(id: CommandId) -> Refusal {
    Refusal::new(
        "command_id_reused",
        (
            format!("命令编号 {id} 已用于另一条命令。"),
            format!("The command id {id} was used for another command before."),
        ),
        (
            "同一编号只执行一次;这次的命令、所针对的记录或参数与上次不同。这次什么也没有写入。",
            "What has one id is carried out once, and that was another command, about another record or with other arguments. \
             Nothing was written this time.",
        ),
        (
            "如是另一件事,请换一个编号(不写编号则自动取新的);如是重发,请与上次完全一致。",
            "If this is something else, give it an id of its own (if none is given, one is drawn). If it was to be the same \
             again, give it exactly as before.",
        ),
    )
}

pub(super) fn encode(done: &Done, asked: &Asked) -> Vec<u8> {
    let mut out = Encoder::default();
    out.varint(done.result.len() as u64);
    done.result.iter().for_each(|(name, id)| {
        out.text(name).text(id);
    });
    ids(&mut out, done.leaves.iter().map(|leaf| &leaf.0));
    ids(&mut out, done.commits.iter().map(|commit| &commit.0));
    ids(&mut out, done.affected.iter().map(|record| &record.0));
    out.fixed(&asked.by);
    out.fixed(&asked.digest);
    out.0
}

/// The leaves that a command wrote and the records that these are in, by its stored answer; none: it cannot be read.
#[must_use]
pub fn written_by(answer: &[u8]) -> Option<(Vec<LeafHash>, Vec<RecordId>)> {
    decode(answer).map(|(done, _)| (done.leaves, done.affected))
}

/// The answer as of then, marked as given again, and what had been asked.
pub(super) fn decode(bytes: &[u8]) -> Option<(Done, Asked)> {
    let mut reader = Reader(bytes);
    let count = reader.count("ids", usize::MAX, 2).ok()?;
    let mut text = || reader.text("an id", 1_024).map(str::to_owned);
    let result = (0..count).map(|_| Ok((text()?, text()?))).collect::<Result<_, DecodeError>>().ok()?;
    let leaves = read_ids(&mut reader)?.into_iter().map(LeafHash).collect();
    let commits = read_ids(&mut reader)?.into_iter().map(CommitId).collect();
    let affected = read_ids(&mut reader)?.into_iter().map(RecordId).collect();
    let asked = Asked { by: reader.fixed().ok()?, digest: reader.fixed().ok()? };
    reader.end().ok()?;
    Some((Done { result, leaves, commits, affected, again: true, preview: None }, asked))
}

fn ids<'a, const N: usize>(out: &mut Encoder, ids: impl ExactSizeIterator<Item = &'a [u8; N]>) {
    out.varint(ids.len() as u64);
    ids.for_each(|id| {
        out.fixed(id);
    });
}

fn read_ids<const N: usize>(reader: &mut Reader<'_>) -> Option<Vec<[u8; N]>> {
    let count = reader.count("ids", usize::MAX, N).ok()?;
    (0..count).map(|_| reader.fixed().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use heliu_record::id::SeatId;

    use super::*;

    fn key(byte: u8) -> DigestKey {
        DigestKey(Zeroizing::new([byte; 32]))
    }

    fn register(contact: &str) -> Request {
        Request {
            id: CommandId([1; 16]),
            name: "member.register".to_owned(),
            subject: None,
            arguments: BTreeMap::from(
                [("name", "王红"), ("contact", contact)].map(|(k, v)| (k.to_owned(), v.to_owned())),
            ),
            who: "clerk".to_owned(),
            reason: "a test".to_owned(),
            on_behalf: None,
        }
    }

    #[test]
    fn whoever_has_the_store_alone_cannot_try_out_what_was_to_be_sealed() {
        let kept = encode(&Done::default(), &key(1).digest(&register("13800001234")));
        let (_, asked) = decode(&kept).expect("it reads");
        assert_eq!(asked.digest, key(1).digest(&register("13800001234")).digest);
        // Every number that he tries gives him a digest by a key of his own.
        assert_ne!(asked.digest, key(2).digest(&register("13800001234")).digest);
    }

    #[test]
    fn another_colleague_with_another_reason_asks_for_the_same_and_another_number_is_something_else() {
        let asked = key(1).digest(&register("13800001234"));
        let colleague = Request { who: "colleague".to_owned(), reason: "again".to_owned(), ..register("13800001234") };
        assert!(!asked.differs_from(&key(1).digest(&colleague)));
        assert!(asked.differs_from(&key(1).digest(&register("13900001234"))));
        let moved = Request { subject: Some(RecordId([2; 32])), ..register("13800001234") };
        assert!(asked.differs_from(&key(1).digest(&moved)));
        let deputy = Request { on_behalf: Some(SeatId([3; 16])), ..register("13800001234") };
        assert!(asked.differs_from(&key(1).digest(&deputy)), "for another seat it is another command");
        // An end of one argument does not become the beginning of the next.
        let shifted = |a: &str, b: &str| Request {
            arguments: BTreeMap::from([("a", a), ("b", b)].map(|(k, v)| (k.to_owned(), v.to_owned()))),
            ..register("")
        };
        assert!(key(1).digest(&shifted("12", "3")).differs_from(&key(1).digest(&shifted("1", "23"))));
        assert!(!asked.differs_from(&key(2).digest(&register("13900001234"))), "nothing can be said");
    }
}
