//! Random bytes, from the system.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::say;

/// Bytes that nobody has had before: a key, an id.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(Exit::Failed, "random", say!("系统不提供随机数", "the system gives no random bytes"))
            .because(error)
    })?;
    Ok(bytes)
}
