//! An organisation as a kind.

use heliu_record::prelude::*;

use super::fields::{
    BUILD, COORDINATOR, FORMATION, GUIDANCE, JOINING, LEVEL, LIFECYCLE, NAME, ORG_KIND, PARENT, PREDECESSORS, REGION,
    SUCCESSORS, UNITS,
};
use super::file;
use super::life::{self, life};
use crate::words::ORGANISATION;

pub(super) static KIND: Kind = Kind::scoped(
    ORGANISATION,
    1,
    "党支部、党总支、党委、党小组及其联建形式",
    "a branch, general branch, committee or group, alone or joint",
)
.public()
.filed(&file::KIND)
.with(fields![
    NAME,
    LIFECYCLE,
    LEVEL,
    ORG_KIND,
    FORMATION,
    BUILD,
    JOINING,
    UNITS,
    REGION,
    PARENT,
    GUIDANCE,
    COORDINATOR,
    PREDECESSORS,
    SUCCESSORS,
])
.derives(
    &[
        DerivedPart::new("standing", label("存续", "standing"), life::STANDING),
        DerivedPart::new("parents_before", label("曾隶属", "parents before"), &[]),
    ],
    life,
)
.read_by_others(fields![NAME, LIFECYCLE, BUILD, PARENT, UNITS, SUCCESSORS]);
