//! Region files as people hand them in: read from their path, and what is wrong with them told. What is in them is
//! [`region`]'s.

use std::path::Path;

use heliu_disk::small_file::{self, BadFile};
use heliu_node::region::{self, FILE_BYTES_MAX, RegionError};
use heliu_record::seats::Seat;
use heliu_trust::id::RealmId;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::say;

pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    small_file::read(path, FILE_BYTES_MAX as u64).map_err(|why| match why {
        BadFile::TooLong(_) => refused(path, &RegionError::TooLong),
        why => Failure::bad_file(path, &why),
    })
}

/// The seats of a file for a realm; superiors first.
pub fn parse(path: &Path, realm: &RealmId, bytes: &[u8]) -> Result<Vec<Seat>, Failure> {
    region::parse(realm, bytes).map_err(|error| refused(path, &error))
}

/// What is wrong with the file at a path, all of it.
pub fn refused(path: &Path, error: &RegionError) -> Failure {
    let shown = path.display();
    let failure = Failure::new(
        Exit::Usage,
        "regions",
        say!("区划文件 {shown} 不能用,什么也没有写入", "cannot use the region file {shown}; nothing was written"),
    );
    let mut failure = failure.next(say!(
        "改正后重试;列为 code,name,parent_code,县没有上级",
        "correct it and try again; the columns are code,name,parent_code, and the county has no parent"
    ));
    failure.why = error.words().into_iter().map(Into::into).collect();
    failure
}
