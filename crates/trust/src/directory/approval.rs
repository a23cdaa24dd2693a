//! What the directory keeps of a join token: that somebody who may enrol nodes has let one in. The token itself, which is
//! passed on to a new machine, is in `crate::token`.

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::id::SeatId;

use crate::id::{NodeId, RealmId, TokenId};
use crate::signature::Signature;

const MINTED: &[u8; 18] = b"heliu join token 1";

/// Who let a node in, with which token; the minter signs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    pub token: TokenId,
    pub expires_ms: i64,
    pub minter: NodeId,
    pub signature: Signature,
}

impl Approval {
    /// What the minter signed.
    #[must_use]
    pub fn message(&self, realm: RealmId, seat: SeatId) -> [u8; 90] {
        let mut out = Encoder(Vec::with_capacity(90));
        out.fixed(MINTED)
            .fixed(&realm.0)
            .fixed(&seat.0)
            .fixed(&self.token.0)
            .i64(self.expires_ms)
            .fixed(&self.minter.0);
        let mut message = [0; 90];
        message.copy_from_slice(&out.0);
        message
    }

    pub(super) fn write(&self, out: &mut Encoder) {
        out.fixed(&self.token.0).i64(self.expires_ms).fixed(&self.minter.0).fixed(&self.signature.0);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Approval {
            token: TokenId(reader.fixed()?),
            expires_ms: reader.i64()?,
            minter: NodeId(reader.fixed()?),
            signature: Signature(reader.fixed()?),
        })
    }
}
