/// Length of a window in nanoseconds: 15 minutes, aligned to the Unix epoch (SPEC 2).
pub const WINDOW: i64 = 900_000_000_000;

/// The beginning of the window that holds a time (nanoseconds since the Unix epoch).
#[must_use]
pub const fn window_of(ts: i64) -> i64 {
    ts.div_euclid(WINDOW).saturating_mul(WINDOW)
}
