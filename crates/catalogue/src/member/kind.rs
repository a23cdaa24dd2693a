//! A member as a kind.

use heliu_record::prelude::*;

use super::fields::{FIELDS, MOVES};
use super::home;
use crate::standing::Standing;
use crate::words::MEMBER;

pub(super) static KIND: Kind = Kind::scoped(MEMBER, 2, "一人一条记录,组织关系转接记在其中", "one person, one record; moves are kept in it")
        .with(FIELDS)
    // Whatever cited the first was judged by the second too, from the day on which that came.
    .earlier(&[Earlier { version: 1, class: Class::Scoped, own: FIELDS, read: home::fold }])
    .derives(
            &[
                DerivedPart::new("home_branch", label("所在支部", "home branch"), &[home::OUTSIDE]),
                DerivedPart::new("home_epoch", label("归属届次", "home epoch"), &[]),
                DerivedPart {
                    listing: Listing::Listed,
                    ..DerivedPart::new("effective_home", label("现归属", "effective home"), &[home::OUTSIDE])
                },
                DerivedPart::new("home_seat", label("归属席位", "home seat"), &[]),
                DerivedPart {
                    listing: Listing::Listed,
                    ..DerivedPart::new("home_since", label("归属起始日", "home since"), &[])
                },
                DerivedPart {
                    listing: Listing::Listed,
                    ..DerivedPart::new("home_unit", label("编入单位", "taken in for"), &[])
                },
                DerivedPart {
                    listing: Listing::Listed,
                    ..DerivedPart::new("reported_by", label("统计席位", "reported by"), &[])
                },
                DerivedPart {
                    listing: Listing::Listed,
                    ..DerivedPart::new("last_change", label("最近变动日期", "last change"), &[])
                },
                DerivedPart {
                    listing: Listing::Listed,
                    ..DerivedPart::new(
                        "letters",
                        label("介绍信", "letters"),
                        &[word("open", "未办结", "open"), word("closed", "已办结", "closed")],
                    )
                },
                DerivedPart {
                    listing: Listing::Listed,
                    ..DerivedPart::new("same_person", label("同一人另有记录", "has another record"), &[word("yes", "是", "yes")])
                },
                DerivedPart::new("course", label("沿革", "course"), &[]),
                DerivedPart::new("standing", label("是否计入", "counted"), Standing::WORDS),
                DerivedPart::new(
                    "pending",
                    label("待办", "pending"),
                    &[
                        word("transfer_pending", "转接未接收", "transfer under way"),
                        word("transfer_conflict", "转接有冲突", "transfer disputed"),
                        word("under_review", "决定待复核", "decision under review"),
                    ],
                ),
                DerivedPart::new("moves/late", label("逾期接收", "received late"), &[]),
            ],
            home::fold,
        )
    // Whoever is away is told when the affiliation goes elsewhere.
    .read_by_others(fields![MOVES]);
