//! The rules of classification.

use clap::Args;
use cutshort_settings::values::{duration, whole};
use jiff::SignedDuration;

use super::data_set::DataSetOption;

/// The settings of the rules. Other values than the defaults change what the terms mean.
#[derive(Args)]
pub(crate) struct Rules {
    #[command(flatten)]
    data_set: DataSetOption,
    /// Length of a window, 1s to 24h; connections are classified within one
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = window, allow_hyphen_values = true)]
    window: SignedDuration,
    /// Silence before the end of a window or capture that makes a connection a timeout
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = guard, allow_hyphen_values = true)]
    guard: SignedDuration,
    /// Packets to keep of each connection, 1 to 1000 [default: 10, with --quic 24]
    #[arg(long = "limit", value_name = "PACKETS", value_parser = whole(1..=1000_u32))]
    limit: Option<u32>,
}

impl Rules {
    pub(crate) fn rules(&self) -> cutshort_verdict::Rules {
        let nanoseconds = |time: SignedDuration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        let usual = cutshort_verdict::Rules::of(self.data_set.data_set());
        cutshort_verdict::Rules {
            window: nanoseconds(self.window),
            guard: nanoseconds(self.guard),
            packet_limit: self.limit.unwrap_or(usual.packet_limit),
            ..usual
        }
    }
}

fn window(text: &str) -> Result<SignedDuration, String> {
    let range = SignedDuration::from_secs(1)..=SignedDuration::from_hours(24);
    duration(text).and_then(|window| match range.contains(&window) {
        true => Ok(window),
        false => Err("a window is 1s to 24h long".to_owned()),
    })
}

fn guard(text: &str) -> Result<SignedDuration, String> {
    duration(text).and_then(|guard| {
        if guard.as_hours() < 24 { Ok(guard) } else { Err("a guard is below 24h".to_owned()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_bounds() {
        assert!(window("15m").is_ok() && window("0s").is_err() && window("25h").is_err());
        assert!(guard("0s").is_ok() && guard("-1s").is_err() && guard("10").is_err());
    }
}
