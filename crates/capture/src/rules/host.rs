//! Loads and removes rules on this host, each in one step that succeeds or changes nothing.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use super::iptables::{self, CHAIN};
use super::{Method, Sampling, Seed};

/// The programs that load rules, one per IP version.
const IPTABLES: [&str; 2] = ["iptables", "ip6tables"];
/// The end of the message that a program is not installed.
const PACKAGE: &str = "is not installed, or you are not root (apt-get install nftables iptables)";

/// The privileges that are needed.
const PRIVILEGE: &str = "needs root or CAP_NET_ADMIN: run it with sudo";

/// Explains why [`status`](super::status) failed.
#[must_use]
pub fn untold(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!("reading the rules that are loaded {PRIVILEGE}"),
        _ => format!("the rules that are loaded cannot be read: {error}"),
    }
}

/// The result of loading or removing rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Nothing had to be done.
    Unchanged,
    /// The changes that were made, in words.
    Changed(Vec<String>),
}

/// Loads rules in place of cutshort's own rules that are loaded, if any. If these sample in the same way, connections
/// in progress continue to be sampled and counters keep their values; otherwise both start from zero. Rules of different
/// [data sets](Method::data_set) are independent of each other.
///
/// # Errors
/// The message of the program that loads rules. Nothing was changed then.
pub fn apply(sampling: &Sampling) -> Result<Applied, String> {
    sampling.check()?;
    match sampling.method {
        Method::Iptables => {
            apply_iptables(sampling)?;
            remove_tables(&[Method::Set.table()])?;
        }
        method => {
            load_table(sampling)?;
            if method.data_set() == Method::Iptables.data_set() {
                remove_chains()?;
            }
        }
    }
    Ok(Applied::Changed(vec![sampling.to_string()]))
}

/// Removes all of cutshort's own rules.
///
/// # Errors
/// The message of the program that removes rules.
pub fn remove() -> Result<Applied, String> {
    let mut removed = remove_tables(&Method::tables())?;
    removed.extend(remove_chains()?);
    Ok(if removed.is_empty() { Applied::Unchanged } else { Applied::Changed(removed) })
}

/// Removes nft tables that are loaded, in one transaction.
fn remove_tables(tables: &[&str]) -> Result<Vec<String>, String> {
    let loaded = super::status().map_err(|error| untold(&error))?;
    let names: Vec<String> = loaded
        .into_iter()
        .map(|loaded| loaded.table)
        .filter(|table| tables.contains(&table.as_str()))
        .map(|table| format!("table inet {table}"))
        .collect();
    if !names.is_empty() {
        let text: String = names.iter().map(|name| format!("delete {name}\n")).collect();
        load("nft", &["-f", "-"], &text)?;
    }
    Ok(names)
}

/// Removes the iptables chains and the jumps to them, if they exist.
fn remove_chains() -> Result<Vec<String>, String> {
    let mut removed = Vec::new();
    for tool in IPTABLES {
        let Some(jumps) = jumps(tool) else { continue };
        // The declaration empties the chain.
        let text = format!("*mangle\n:{CHAIN} - [0:0]\n{jumps}-X {CHAIN}\nCOMMIT\n");
        load(&format!("{tool}-restore"), &["-n"], &text)?;
        removed.push(format!("{tool} chain {CHAIN}"));
    }
    Ok(removed)
}

/// Loads a table, with the connections remembered by the previous one if possible.
fn load_table(sampling: &Sampling) -> Result<(), String> {
    let needed = matches!(sampling.method, Method::Quic);
    let seed = sampling.seed.map_or_else(|| needed.then(Seed::random).transpose(), |seed| Ok(Some(seed)));
    let seed = seed.map_err(|error| format!("there are no random numbers for a seed: {error}"))?;
    let (text, about) = (sampling.text_with(seed), sampling.to_string());
    let table = sampling.method.table();
    let loaded = super::status().unwrap_or_default();
    if loaded.iter().any(|loaded| loaded.table == table && loaded.about == about && !loaded.outdated) {
        let kept =
            text.replacen(&format!("delete table inet {table}"), &format!("flush table inet {table}"), 1);
        if load("nft", &["-f", "-"], &kept).is_ok() {
            return Ok(());
        }
    }
    load("nft", &["-f", "-"], &text)
}

/// Loads the rules for both IP versions, or none.
fn apply_iptables(sampling: &Sampling) -> Result<(), String> {
    for tool in IPTABLES {
        let text = iptables::text_with(sampling, &jumps(tool).unwrap_or_default());
        if let Err(error) = load(&format!("{tool}-restore"), &["-n"], &text) {
            remove_chains()?;
            return Err(error);
        }
    }
    Ok(())
}

/// The rules for iptables that are loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chains {
    /// The chains of iptables and ip6tables with their counters, as these programs print them.
    pub shown: Vec<String>,
    /// The options of `cutshort rules apply` with which they were loaded.
    pub options: Option<String>,
}

/// The iptables chains that are loaded.
#[must_use]
pub fn chains() -> Chains {
    let (mut shown, mut saved) = (Vec::new(), String::new());
    for tool in IPTABLES {
        let Some(text) = show(tool, &["-v", "-S", CHAIN]) else { continue };
        shown.push(format!("{tool}:\n{}", text.trim_end()));
        saved += &show(tool, &["-S"]).unwrap_or_default();
    }
    Chains { shown, options: iptables::read(&saved).map(|sampling| sampling.options()) }
}

/// What a program prints about its mangle table. Does not create the table.
fn show(tool: &str, arguments: &[&str]) -> Option<String> {
    if !super::status::has_mangle(tool == "ip6tables") {
        return None;
    }
    let output = Command::new(tool).args(["-t", "mangle"]).args(arguments).stderr(Stdio::null()).output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Lines that delete the jumps to the chain; none if there is no such chain.
fn jumps(tool: &str) -> Option<String> {
    let saved = show(tool, &["-S"])?;
    saved.lines().any(|line| line == format!("-N {CHAIN}")).then(|| deletions(&saved))
}

fn deletions(saved: &str) -> String {
    let jump = format!(" -j {CHAIN}");
    let rules =
        saved.lines().filter_map(|line| line.strip_prefix("-A ").filter(|line| line.ends_with(&jump)));
    rules.map(|rule| format!("-D {rule}\n")).collect()
}

/// Passes text to a program that loads it.
fn load(program: &str, arguments: &[&str], text: &str) -> Result<(), String> {
    let run = || -> io::Result<_> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that fails early does not read; its message tells more than the pipe's.
            let _ = stdin.write_all(text.as_bytes());
        }
        child.wait_with_output()
    };
    let output = run().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{program} {PACKAGE}"),
        _ => format!("{program}: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    if ["Operation not permitted", "Permission denied"].iter().any(|why| message.contains(why)) {
        return Err(format!("{program} cannot load the rules: that {PRIVILEGE}"));
    }
    Err(format!("{program} does not load the rules: {}", without_seed(message.trim())))
}

/// Removes the seed from messages, because nft repeats the lines that it rejects.
fn without_seed(message: &str) -> String {
    let mut words = message.split(' ').peekable();
    let mut shown = Vec::new();
    while let Some(word) = words.next() {
        shown.push(word);
        if word == "seed" && words.peek().is_some_and(|next| next.starts_with("0x")) {
            words.next();
            shown.push("...");
        }
    }
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_jumps_to_the_own_chain_are_deleted() {
        let saved = "-P PREROUTING ACCEPT\n-N CUTSHORT\n-N CUTSHORT2\n-A PREROUTING -i eth0 -p tcp -j CUTSHORT\n\
                     -A PREROUTING -j CUTSHORT2\n-A CUTSHORT -p tcp -j NFLOG\n";
        assert_eq!(deletions(saved), "-D PREROUTING -i eth0 -p tcp -j CUTSHORT\n");
    }

    #[test]
    fn messages_do_not_tell_the_seed() {
        let message = "Error: no\n tcp sequence mod 5 seed 0x12345678 == 0 goto a";
        assert_eq!(without_seed(message), "Error: no\n tcp sequence mod 5 seed ... == 0 goto a");
    }
}
