//! The bytes of a delivery: leaves with their commits, and grants, without what the receiver can recompute, compressed as a whole.
//!
//! `write` and `read` are each other's mirror image and say the form; here is the packing around it. A receiver gets
//! exactly the delivery that was packed, or an error, at a cost bounded by the size that the sender declared.

mod chunk;
mod numbers;
mod read;
mod write;

use std::cell::RefCell;

use heliu_record::codec::DecodeError;
use heliu_replication::frame::{Delivery, limits};
use zstd::bulk::{Compressor, Decompressor};

/// More costs time that a node of a village does not have, for a few percent.
const LEVEL: i32 = 3;

/// Below this zstd makes it longer.
const PLAIN_BYTES_MAX: usize = 200;

/// How the bytes of a delivery are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Zstd,
}

/// A delivery as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    pub packing: Packing,
    /// Bytes when unpacked, as the sender says.
    pub raw_bytes: usize,
    pub bytes: Vec<u8>,
}

/// Why bytes are no delivery of this wire version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    #[error("{0} bytes unpacked, more than {max}", max = limits::FRAME_BYTES)]
    TooLong(usize),
    #[error("it does not unpack to the {0} bytes that it says")]
    Unpack(usize),
    #[error(transparent)]
    Form(#[from] DecodeError),
}

pub fn pack(delivery: &Delivery) -> Packed {
    let raw = write::delivery(delivery);
    let raw_bytes = raw.len();
    match compress(&raw) {
        Some(bytes) => Packed { packing: Packing::Zstd, raw_bytes, bytes },
        None => Packed { packing: Packing::Plain, raw_bytes, bytes: raw },
    }
}

pub fn unpack(packed: &Packed) -> Result<Delivery, DeliveryError> {
    let Packed { packing, raw_bytes, bytes } = packed;
    if *raw_bytes > limits::FRAME_BYTES {
        return Err(DeliveryError::TooLong(*raw_bytes));
    }
    match packing {
        Packing::Plain if bytes.len() == *raw_bytes => Ok(read::delivery(bytes)?),
        Packing::Plain => Err(DeliveryError::Unpack(*raw_bytes)),
        Packing::Zstd => Ok(read::delivery(&decompress(bytes, *raw_bytes)?)?),
    }
}

thread_local! {
    // A new context costs more than a small frame. One per thread is as many as can be in use at once.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// None if there is nothing to gain (or if zstd has no memory; then it travels plain).
fn compress(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.len() < PLAIN_BYTES_MAX {
        return None;
    }
    let bytes = COMPRESSOR.with_borrow_mut(|context| {
        let compressor = match context {
            Some(compressor) => compressor,
            None => context.insert(Compressor::new(LEVEL).ok()?),
        };
        compressor.compress(raw).ok()
    })?;
    (bytes.len() < raw.len()).then_some(bytes)
}

/// Never more than `raw_bytes`, whatever `bytes` would unfold to: they are the whole buffer, and there is no window.
fn decompress(bytes: &[u8], raw_bytes: usize) -> Result<Vec<u8>, DeliveryError> {
    let mut raw = Vec::with_capacity(raw_bytes);
    let done = DECOMPRESSOR.with_borrow_mut(|context| {
        let decompressor = match context {
            Some(decompressor) => decompressor,
            None => context.insert(Decompressor::new().ok()?),
        };
        decompressor.decompress_to_buffer(bytes, &mut raw).ok()
    });
    if done == Some(raw_bytes) { Ok(raw) } else { Err(DeliveryError::Unpack(raw_bytes)) }
}

#[cfg(test)]
mod tests;
