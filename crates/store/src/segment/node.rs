//! Names of nodes.

use super::schema::MAX_NODE;

/// The name that imported captures have in place of a node's; no node may have this name.
pub const FILE_NODE: &str = "file";

/// Checks the name of a node: 1 to 255 bytes without control characters, and not [`FILE_NODE`].
///
/// # Errors
/// A sentence that says what is wrong with the name.
pub fn check_node(name: &str) -> Result<(), String> {
    // Quotes and escapes what could steer a terminal.
    let shown = || format!("{:?}", name.chars().take(60).collect::<String>());
    match name {
        "" => Err("the node name is empty".to_owned()),
        _ if name.len() > MAX_NODE => {
            Err(format!("the node name {} has {} bytes, more than {MAX_NODE}", shown(), name.len()))
        }
        _ if name.chars().any(char::is_control) => {
            Err(format!("the node name {} has control characters", shown()))
        }
        FILE_NODE => Err(format!("the node name '{FILE_NODE}' is reserved for imported captures")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_servers_are_checked() {
        for good in ["edge1", "edge1.example.org", "Bad Ems", "köln", &"x".repeat(255), "files"] {
            assert_eq!(check_node(good), Ok(()), "{good}");
        }
        let long = "x".repeat(256);
        let bad = [
            ("", "empty"),
            ("file", "reserved"),
            ("a\0b", "control"),
            ("\u{1b}[2J", "control"),
            (&long, "255"),
        ];
        for (name, expected) in bad {
            let why = check_node(name).unwrap_err();
            assert!(why.contains(expected) && !why.chars().any(char::is_control), "{why}");
        }
    }
}
