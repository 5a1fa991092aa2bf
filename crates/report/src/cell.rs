//! Text from outside in comma-separated values.

use std::borrow::Cow;

/// Makes a text safe for a file of comma-separated values that is opened in a spreadsheet. Text that would be
/// interpreted as a formula gets an apostrophe in front, as recommended by
/// [OWASP](https://owasp.org/www-community/attacks/CSV_Injection); numbers are unchanged.
///
/// ```
/// use cutshort_report::cell;
/// assert_eq!(cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
/// assert_eq!(cell("-1.5"), "-1.5");
/// ```
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let is_number = || text.parse().is_ok_and(f64::is_finite);
    match text.starts_with(FORMULA) && !is_number() {
        true => format!("'{text}").into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn formulas_are_text_and_numbers_are_numbers() {
        for formula in
            ["=1", "+1+1", "-1-1", "-", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "-inf", "+nan", "-cmd"]
        {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for harmless in ["", "-1.5", "+3", "-1e-3", "PT", "a=b", "'=1", "2026-01-14T12:00:00Z", " =1"] {
            assert_eq!(cell(harmless), harmless);
        }
    }
}
