//! The options of `cutshort rules` that a set of rules was made with, so that a command can repeat them.

use std::fmt::{Display, Write};

use ipnet::IpNet;

use super::{Method, Ports, Sampling};

impl Sampling {
    /// The options of `cutshort rules apply` that load these rules, as a shell takes them. Those at
    /// their defaults are left out, except for the rate. Where the seed's file is, is not known:
    /// `FILE` stands for it.
    #[must_use]
    pub fn options(&self) -> String {
        let default = Self::of(self.method);
        let mut text = String::new();
        let mut add = |option: &str, value: &dyn Display| {
            let space = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{space}--{option}{value}");
        };
        if self.method != Method::default() {
            add(self.method.name(), &"");
        }
        add("rate ", &self.rate);
        let numbers = [
            ("limit ", self.limit.get(), default.limit.get()),
            ("group ", self.group.into(), default.group.into()),
            ("snaplen ", self.snaplen, default.snaplen),
            ("queue ", self.queue, default.queue),
        ];
        for (option, value, default) in numbers {
            if value != default {
                add(option, &value);
            }
        }
        let ports = |sampling: &Self| joined(&Ports::merged(&sampling.ports));
        let lists = [
            ("interfaces ", joined(&self.interfaces), String::new()),
            ("ports ", ports(self), ports(&default)),
            ("exclude ", joined(&IpNet::aggregate(&self.exclude)), String::new()),
        ];
        for (option, list, default) in lists {
            if list != default {
                // A shell would look for files.
                let quote = if list.contains('*') { "'" } else { "" };
                add(option, &format_args!("{quote}{list}{quote}"));
            }
        }
        if self.forwarded {
            add("forwarded", &"");
        }
        if self.server_resets {
            add("server-resets", &"");
        }
        if matches!(self.method, Method::Set | Method::Origin | Method::Quic) {
            if self.keep != default.keep {
                add("keep ", &format_args!("{}s", self.keep.as_secs()));
            }
            if self.size != default.size {
                add("size ", &self.size);
            }
            if self.seed.is_some() {
                add("seed-file ", &"FILE");
            }
        }
        text
    }
}

fn joined(items: &[impl Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Seed, tests::changed};
    use super::*;

    #[test]
    fn options_name_all_that_is_not_a_default() {
        assert_eq!(Sampling::default().options(), "--rate 10000");
        let all = Sampling {
            forwarded: true,
            keep: Duration::from_mins(2),
            size: 1000,
            seed: Seed::new(0x1234_5678),
            ..changed(Method::Origin)
        };
        assert_eq!(
            all.options(),
            "--origin --rate 100 --limit 5 --group 7 --snaplen 96 --queue 1 --interfaces 'eth*,wg0' \
             --ports 80,443,8000-8100 --exclude 192.0.2.0/24,2001:db8::/32 --forwarded --keep 120s --size 1000 \
             --seed-file FILE"
        );
        assert_eq!(Sampling::of(Method::Quic).options(), "--quic --rate 10000");
        let quic = Sampling { ports: vec![8443.into(), 443.into()], ..Sampling::of(Method::Quic) };
        assert_eq!(quic.options(), "--quic --rate 10000 --ports 443,8443");
        let with_resets = Sampling { server_resets: true, ..Sampling::default() };
        assert_eq!(with_resets.options(), "--rate 10000 --server-resets");
    }
}
