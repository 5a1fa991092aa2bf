//! A plain picture for pasted links: a title, a sentence, and a bar of the stages, as a PNG file.

mod glyphs;

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::http::plain_letter;
use glyphs::GLYPHS;

/// In points, as those who show links ask for.
pub(crate) const WIDTH: usize = 1200;
pub(crate) const HEIGHT: usize = 630;

const MARGIN: usize = 60;
/// Points of a letter's grid, with the gap to the next one.
const LETTER: usize = 6;
const LINE: usize = 10;

/// Colours by number: paper, ink, muted, and the stages in their order.
const COLOURS: [[u8; 3]; 8] = [
    [0xff, 0xff, 0xff],
    [0x1a, 0x1f, 0x26],
    [0x59, 0x63, 0x6f],
    [0x3d, 0x6d, 0xbd],
    [0xcd, 0x84, 0x13],
    [0x9c, 0x24, 0x50],
    [0x2e, 0xa1, 0x98],
    [0xc9, 0xd0, 0xd8],
];
const PAPER: u8 = 0;
const INK: u8 = 1;
const MUTED: u8 = 2;
const FIRST_STAGE: u8 = 3;

/// Draws the picture. `stages` are the titles and shares of all stages, the shares from 0 to 1.
pub(crate) fn draw(title: &str, text: &str, stages: Option<&[(&str, f64)]>) -> Vec<u8> {
    let mut canvas = Canvas { points: vec![PAPER; WIDTH * HEIGHT] };
    canvas.text("cutshort", MARGIN, MARGIN, 3, MUTED, 1);
    let below = canvas.text(title, MARGIN, 130, 7, INK, 3);
    let below = canvas.text(text, MARGIN, below + 20, 4, MUTED, 4);
    if let Some(stages) = stages {
        canvas.stages(stages, below.max(430) + 10);
    }
    png(&canvas.points)
}

struct Canvas {
    points: Vec<u8>,
}

impl Canvas {
    /// Fills a rectangle, as far as it is inside.
    fn fill(&mut self, (left, top): (usize, usize), (width, height): (usize, usize), colour: u8) {
        let (right, bottom) = ((left + width).min(WIDTH), (top + height).min(HEIGHT));
        for y in top..bottom {
            if left < right {
                self.points[y * WIDTH + left..y * WIDTH + right].fill(colour);
            }
        }
    }

    /// Writes text in at most so many lines, each point of a letter `size` points wide; gives where the next line begins.
    fn text(&mut self, text: &str, left: usize, top: usize, size: usize, colour: u8, lines: usize) -> usize {
        let most = (WIDTH - left - MARGIN) / (LETTER * size);
        let mut y = top;
        for line in wrapped(text, most).into_iter().take(lines) {
            for (at, letter) in line.chars().enumerate() {
                self.letter(letter, (left + at * LETTER * size, y), size, colour);
            }
            y += LINE * size;
        }
        y
    }

    fn letter(&mut self, letter: char, (left, top): (usize, usize), size: usize, colour: u8) {
        let code = (letter as usize).wrapping_sub(0x20);
        let Some(columns) = GLYPHS.get(code) else { return };
        for (x, column) in columns.iter().enumerate() {
            for y in (0..8).filter(|y| column & 1 << y != 0) {
                self.fill((left + x * size, top + y * size), (size, size), colour);
            }
        }
    }

    /// A bar of all stages, and what its colours mean.
    fn stages(&mut self, stages: &[(&str, f64)], top: usize) {
        const BAR: usize = 70;
        let room = WIDTH - 2 * MARGIN;
        let (mut left, mut sum) = (0, 0.0);
        for (stage, (_, share)) in stages.iter().enumerate() {
            sum += share;
            let right = ((room as f64 * sum).round() as usize).min(room);
            self.fill((MARGIN + left, top), (right - left.min(right), BAR), FIRST_STAGE + stage as u8);
            left = right;
        }
        let mut x = MARGIN;
        for (at, (title, _)) in stages.iter().enumerate() {
            self.fill((x, top + BAR + 24), (24, 24), FIRST_STAGE + at as u8);
            self.text(title, x + 36, top + BAR + 24, 3, MUTED, 1);
            x += 36 + title.len() * LETTER * 3 + 36;
        }
    }
}

/// Lines of words, at most so many letters long, of letters that can be drawn.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let text: String = text.chars().filter_map(drawable).collect();
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let word = &word[..word.len().min(most)];
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A letter that there is a glyph for; nothing for an accent that stands alone.
fn drawable(letter: char) -> Option<char> {
    let lower = letter.to_lowercase().next().unwrap_or(letter);
    let plain = plain_letter(lower)?;
    let plain = if letter.is_uppercase() { plain.to_ascii_uppercase() } else { plain };
    Some(if plain.is_ascii() { plain } else { '?' })
}

/// A PNG file of points with numbers of colours (W3C Portable Network Graphics, third edition).
fn png(points: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let size = [WIDTH as u32, HEIGHT as u32].map(u32::to_be_bytes).concat();
    // 8 bits a point, a palette, nothing else.
    chunk(&mut file, b"IHDR", &[&size[..], &[8, 3, 0, 0, 0]].concat());
    chunk(&mut file, b"PLTE", &COLOURS.concat());
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::fast());
    for row in points.chunks(WIDTH) {
        // Each row begins with its filter, none. Writing to memory cannot fail.
        let _ = pixels.write_all(&[0]).and_then(|()| pixels.write_all(row));
    }
    chunk(&mut file, b"IDAT", &pixels.finish().unwrap_or_default());
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(data);
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    file.extend(sum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_wrapped_and_other_letters_replaced() {
        assert_eq!(wrapped("Côte d’Ivoire, 5 % of", 12), ["Cote", "d'Ivoire, 5", "% of"]);
        assert_eq!(wrapped("abcdefghijklmnop", 4), ["abcd"]);
        assert_eq!(wrapped("中国", 4), ["??"]);
    }

    #[test]
    fn the_bar_is_as_long_as_the_shares() {
        let mut canvas = Canvas { points: vec![PAPER; WIDTH * HEIGHT] };
        canvas.stages(&[0.25, 0.0, 0.0, 0.0, 0.75].map(|share| ("Stage", share)), 0);
        let of = |colour| canvas.points[..WIDTH].iter().filter(|point| **point == colour).count();
        let room = WIDTH - 2 * MARGIN;
        assert_eq!([of(FIRST_STAGE), of(FIRST_STAGE + 1), of(FIRST_STAGE + 4)], [room / 4, 0, room * 3 / 4]);
        // More than all, as rounding may give, stays inside.
        canvas.stages(&[0.9, 0.9, 0.1, 0.1, 0.1].map(|share| ("Stage", share)), 0);
        assert!(!draw("t", "x", Some(&[("Stage", 1.0); 5])).is_empty());
    }
}
