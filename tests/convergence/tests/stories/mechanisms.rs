//! The table of mechanisms: for each the commands by which people use it, and the story of two places that use it apart. A command
//! that no row carries out while lines are cut fails here, and so does a row whose story does not carry out what it says.

use std::collections::BTreeSet;

use super::{
    Apart, advisories, alliances, development, floats, letters, organisations, records, registry, s01_double_transfer,
    s02_dissolved_joint_branch, s04_alliance_leave, s12_parent_cycle,
};

macro_rules! mechanisms {
    ($($mechanism:ident: $tell:path => [$($command:literal),+ $(,)?];)+) => {
        $(#[test]
        fn $mechanism() {
            bears_being_apart($tell, &[$($command),+]);
        })+

        /// What the rows say that they carry out.
        const CARRIED_OUT: &[&str] = &[$($($command),+),+];
    };
}

mechanisms! {
    transfer_to_two_places: s01_double_transfer::s1_double_transfer => ["member.transfer.issue", "member.transfer.receive"];
    transfer_withdrawn_while_received: letters::a_letter_is_received_while_it_is_withdrawn => [
        "member.transfer.cancel", "member.transfer.receive",
    ];
    transfer_returned_while_withdrawn: letters::a_letter_goes_back_while_it_is_withdrawn => [
        "member.transfer.cancel", "member.transfer.return",
    ];
    transfer_proposed_while_issued: letters::a_village_proposes_while_its_township_issues => [
        "member.transfer.propose", "member.transfer.issue",
    ];
    one_number_for_two_letters: letters::one_number_is_given_to_two_letters => [
        "member.transfer.issue",
        "member.transfer.renumber",
    ];
    reassignment_beside_a_letter: letters::a_superior_reassigns_while_a_letter_is_received => [
        "member.reassign", "member.transfer.receive",
    ];
    external_move_beside_a_move_inside: letters::one_leaves_the_realm_while_he_moves_inside => [
        "member.transfer.out", "member.transfer.arrived", "member.transfer.issue", "member.transfer.receive",
    ];
    arrival_recorded_twice: letters::two_tiers_take_in_one_person => [
        "member.transfer.come_in", "member.same_as", "member.not_same_as",
    ];
    development_approved_while_cancelled: registry::a_township_confirms_while_the_meeting_cancelled => [
        "member.confirm", "member.pass",
    ];
    development_led_apart: development::a_branch_leads_on_whom_the_township_admits => [
        "member.lead", "member.pass", "member.admit", "member.step",
    ];
    probation_extended_while_cancelled: development::a_probation_is_extended_while_it_is_cancelled => [
        "member.extend", "member.cancel",
    ];
    registration_apart: registry::what_identifies_shows_both_values_at_every_node => ["record.set"];
    roster_corrected_apart: records::a_roster_is_corrected_while_the_village_corrects_it => ["record.update", "member.register"];
    undo_beside_an_edit: records::an_edit_is_taken_back_while_another_builds_on_it => ["record.undo", "record.set"];
    generic_edits_apart: records::sets_and_entries_are_joined => ["record.add", "record.remove", "record.create"];
    states_decided_apart: records::a_state_is_decided_at_two_tiers => ["record.decide"];
    sight_given_and_taken_apart: records::a_record_is_shared_while_it_is_unshared => ["record.share", "record.unshare"];
    joint_branch: s02_dissolved_joint_branch::s2_dissolved_joint_branch => ["org.dissolve", "member.register"];
    joint_branch_formed_apart: organisations::two_tiers_form_a_joint_branch_of_the_same_units => [
        "joint_branch.form", "org.create",
    ];
    merge_build: registry::a_merger_opens_no_conflict_and_no_leaf_comes_to_its_members => ["org.merge_build"];
    merge_build_beside_co_build: registry::two_mergers_and_a_merger_beside_a_co_build_are_disagreements_that_take_nobody_away => [
        "org.merge_build", "org.co_build",
    ];
    parents: s12_parent_cycle::s12_parent_cycle => ["org.set_parent"];
    alliance: s04_alliance_leave::s4_alliance_leave => [
        "alliance.leave", "alliance.add_resource", "resource.withdraw", "resource.offer", "booking.request",
    ];
    alliance_joined_apart: alliances::organisations_join_and_leave_apart => ["alliance.form", "alliance.join", "alliance.leave"];
    bookings: registry::parts_of_entries_and_confirmations_of_one_day_are_compared_too => ["booking.confirm", "record.set"];
    booking_declined_while_confirmed: alliances::a_booking_is_declined_while_it_is_confirmed => [
        "booking.confirm", "booking.decline",
    ];
    bookings_used_while_withdrawn: alliances::a_booking_is_taken_back_while_it_is_used => ["booking.withdraw", "booking.use"];
    needs: alliances::a_need_is_answered_and_closed_apart => [
        "need.raise", "need.answer", "need.accept", "need.decline", "need.withdraw_answer", "need.meet", "need.close",
    ];
    alliance_led_apart: alliances::an_alliance_is_led_and_written_apart => [
        "alliance.set_chair", "alliance.invite", "alliance.publish_charter", "alliance.leave",
    ];
    part_time_members: alliances::a_part_time_member_is_approved_while_his_unit_leaves => [
        "part_time.nominate", "part_time.approve", "part_time.end", "alliance.leave",
    ];
    float_made_apart: floats::both_halves_are_made_apart => [
        "float.declare", "float.record_inflow", "float.link", "float.acknowledge",
    ];
    float_beside_a_transfer: floats::a_float_is_transferred_to_a_third_place_while_its_host_records_it => [
        "float.record_inflow", "member.transfer.receive",
    ];
    float_ended_apart: floats::a_return_is_reported_at_both_ends => [
        "float.report_return", "float.confirm_return", "float.close",
    ];
    absence: organisations::a_seat_is_away_at_one_place_and_back_at_another => ["seat.away", "seat.back"];
    policy: organisations::two_nodes_of_the_county_set_the_policy => ["policy.set"];
    advisory_waived_while_taken_back: advisories::an_advisory_is_waived_while_the_waiver_is_taken_back => [
        "org.waive", "org.unwaive", "member.waive", "member.unwaive",
    ];
    ages_counted_apart: advisories::two_nodes_of_a_township_count_ages => ["statistics.count"];
    settlement: organisations::a_conflict_is_settled_at_two_nodes_apart => ["conflict.settle"];
}

/// No kind has a field that it could be about.
const ABOUT_NOTHING: &[&str] = &["record.append"];

fn bears_being_apart(tell: fn() -> Apart, commands: &[&str]) {
    let carried_out = tell();
    let missing: Vec<_> = commands.iter().filter(|command| !carried_out.contains(**command)).collect();
    assert!(missing.is_empty(), "not carried out while lines are cut: {missing:?}");
}

#[test]
fn every_command_of_the_registry_is_carried_out_at_two_places_apart() {
    let told: BTreeSet<&str> = CARRIED_OUT.iter().chain(ABOUT_NOTHING).copied().collect();
    let commands = heliu_catalogue::catalogue().commands();
    let untold: Vec<_> = commands.map(|command| command.name).filter(|command| !told.contains(command)).collect();
    assert!(untold.is_empty(), "no row of the table of mechanisms: {untold:?}");
}
