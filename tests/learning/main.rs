//! What must hold of histories across processes: nothing recorded is lost, and no trouble with the cache is ever more
//! than a warning.
//!
//! Histories live as long as processes do not, so nearly every test plays parts in child processes. They are this
//! same program, started with a role; it therefore has its own `main`, which also lets a child end as a program does.

mod ahead;
mod attempts;
mod children;
mod crowd;
mod ends;
mod events;
mod exchange;
mod extremes;
mod head_start;
mod kill;
mod predictions;
mod roles;
mod trouble;

use libtest_mimic::{Arguments, Trial};

fn main() {
    if let Ok(role) = std::env::var(roles::ROLE) {
        return roles::play(&role);
    }
    libtest_mimic::run(&Arguments::from_args(), trials()).exit();
}

/// Each function as a test of its name.
macro_rules! trials {
    ($($module:ident::$name:ident),* $(,)?) => {
        vec![$(Trial::test(concat!(stringify!($module), "::", stringify!($name)), || {
            $module::$name();
            Ok(())
        })),*]
    };
}

fn trials() -> Vec<Trial> {
    let mut trials = trials![
        ahead::a_stream_knows_where_it_is_among_them,
        attempts::threads_that_were_given_up_are_tried_again_where_that_is_recorded,
        crowd::eight_processes_that_record_lose_nothing,
        crowd::eight_processes_that_stream_lose_nothing,
        ends::a_program_of_short_streams_leaves_their_records,
        ends::a_program_that_returns_leaves_its_records,
        ends::a_run_whose_function_panics_teaches_nothing,
        ends::a_program_that_exits_leaves_its_records,
        ends::a_program_that_panics_leaves_its_records,
        ends::threads_that_end_leave_their_records,
        ends::long_runs_are_on_disk_before_the_next_instruction,
        ends::short_runs_get_there_while_the_program_goes_on,
        events::plans_are_told_with_the_name_of_the_function,
        events::whoever_listens_may_ask_back,
        exchange::histories_move_to_another_machine,
        exchange::a_damaged_export_says_so,
        extremes::options_at_the_ends_of_their_ranges_find_a_plan,
        head_start::a_first_item_that_computes_does_not_keep_others_from_being_run,
        head_start::a_long_first_item_delays_nobody,
        head_start::a_plain_loop_does_not_wait_for_a_busy_pool,
        head_start::a_source_that_waits_for_the_first_result_gets_it_where_no_pool_runs,
        head_start::only_the_first_items_of_new_functions_are_pulled_ahead,
        predictions::predictions_are_for_items_like_the_last_ones_whatever_the_function_captures,
        trouble::no_home,
        trouble::a_home_that_is_none,
        trouble::noise_in_place_of_the_history,
        trouble::a_later_version,
        trouble::a_directory_that_others_can_write,
    ];
    if cfg!(unix) {
        trials.extend(unix_trials());
    }
    trials.extend(linux_trials());
    trials
}

#[cfg(target_os = "linux")]
fn linux_trials() -> Vec<Trial> {
    use trouble::unix;

    trials![
        ends::plain_loops_that_are_asked_for_are_recorded_without_another_thread,
        ends::cheap_results_that_own_memory_are_run_and_recorded_without_another_thread,
        head_start::first_items_that_wait_do_so_all_at_once,
        unix::a_short_program_hears_of_a_directory_that_cannot_be_made,
    ]
}

#[cfg(not(target_os = "linux"))]
fn linux_trials() -> Vec<Trial> {
    Vec::new()
}

#[cfg(unix)]
fn unix_trials() -> Vec<Trial> {
    use trouble::unix;

    trials![
        kill::a_killed_process_loses_nothing_it_was_told_is_written,
        unix::a_process_that_may_write_no_files_goes_on_without_them,
        unix::a_directory_in_place_of_the_history,
        unix::a_pipe_in_place_of_the_history,
        unix::a_pipe_in_place_of_the_lock,
        unix::a_lock_that_is_never_let_go,
        unix::a_full_disk,
        unix::a_damaged_history_on_a_full_disk,
    ]
}

#[cfg(not(unix))]
fn unix_trials() -> Vec<Trial> {
    Vec::new()
}
