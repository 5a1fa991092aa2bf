//! What the parsers of `filter` take, as regular expressions (ECMA 262) for the description of the API.
//!
//! Two things that the parsers do are not in them: lists longer than a thousand, and spaces of other alphabets.

/// A comma list as [`list`](super::list) reads it: each item may have `-` in front and spaces around, or be empty.
pub(crate) fn list_of(item: &str) -> String {
    let item = format!(" *((- *)?({item}) *)?");
    format!("^{item}(,{item})*$")
}

/// The digits of a number from 0 to `most`, with any zeros in front.
pub(crate) fn up_to(most: u64) -> String {
    let digits: Vec<char> = most.to_string().chars().collect();
    let mut smaller = Vec::new();
    if digits.len() > 1 {
        smaller.push(format!("[0-9]{{1,{}}}", digits.len() - 1));
    }
    for (at, digit) in digits.iter().enumerate().filter(|(_, digit)| **digit > '0') {
        let (before, below) = (digits[..at].iter().collect::<String>(), char::from(*digit as u8 - 1));
        let behind = digits.len() - at - 1;
        let rest = if behind > 0 { format!("[0-9]{{{behind}}}") } else { String::new() };
        smaller.push(format!("{before}[0-{below}]{rest}"));
    }
    format!("0*({}|{most})", smaller.join("|"))
}

/// A word, however it is capitalised, with `-` for `_` if wanted.
pub(crate) fn any_case(word: &str) -> String {
    let letter = |letter: char| match letter {
        '_' => "[_-]".to_owned(),
        _ if letter.is_ascii_alphabetic() => {
            format!("[{}{}]", letter.to_ascii_uppercase(), letter.to_ascii_lowercase())
        }
        _ => letter.to_string(),
    };
    word.chars().map(letter).collect()
}

/// One of some words, however they are capitalised.
pub(crate) fn one_of(words: &[&str]) -> String {
    words.iter().map(|word| any_case(word)).collect::<Vec<_>>().join("|")
}
