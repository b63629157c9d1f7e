//! What processes take of the machine, as Linux tells it; 0 elsewhere.

/// The most memory that this process has held.
pub(crate) fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// The time that this process has spent on processors, by itself and in the kernel.
pub(crate) fn processor_seconds() -> f64 {
    seconds_from(11)
}

/// The same of all processes that this one has started and seen to end.
pub(crate) fn processor_seconds_of_children() -> f64 {
    seconds_from(13)
}

/// The sum of two times, of which the first is field `place` after the name.
fn seconds_from(place: usize) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(place).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}
