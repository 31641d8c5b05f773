//! A review pack as one HTML page without scripts, for a browser and for mail. Many mail programs drop
//! SVG pictures: the table twin of each chart stands open beneath it, and the page says so.

use super::{Item, Pack, Part, web_address};
use crate::chart::text::escape;
use crate::chart::{Chart, Theme};

const WIDTH: f64 = 640.0;

const STYLE: &str = "body{margin:0;padding:24px;background:#fff;color:#1a1a1a;font:16px/1.5 system-ui,-apple-system,\
    'Segoe UI',sans-serif}main{max-width:680px;margin:0 auto}h1{font-size:24px;line-height:1.25;margin:0 0 4px}\
    h2{font-size:18px;margin:32px 0 8px;border-bottom:1px solid #d5d8dc;padding-bottom:4px}\
    ul{margin:0;padding:0 0 0 20px}li{margin:0 0 6px}figure{margin:0 0 16px}figure svg{max-width:100%;height:auto}\
    table{border-collapse:collapse;font-size:13px;width:100%}caption{text-align:left;color:#595959;padding:4px 0}\
    th,td{text-align:left;padding:3px 12px 3px 0;border-top:1px solid #d5d8dc;vertical-align:top}\
    a{color:#0b5cad}.quiet{color:#595959;font-size:14px;margin:0}";

/// The whole page.
pub fn html(pack: &Pack<'_>) -> String {
    let (title, parts) = (escape(&pack.title()), pack.parts());
    let body: String = parts.iter().map(part).collect();
    let pictures = if parts.iter().any(|part| !part.charts.is_empty()) {
        "Pictures that your mail program does not show are told by the table beneath each. "
    } else {
        ""
    };
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head>\n<body><main>\n<h1>{title}</h1>\n<p class=\"quiet\">{}: {} ({})</p>\n{body}\
         <p class=\"quiet\" style=\"margin-top:32px\">{pictures}Sent by leadpact, which keeps the agreement between \
         marketing and sales.</p>\n</main></body></html>\n",
        escape(&pack.span()),
        escape(&pack.agreement.title),
        escape(&pack.agreement.version),
    )
}

fn part(part: &Part) -> String {
    let charts: String = part.charts.iter().filter(|c| !c.bars.is_empty()).map(figure).collect();
    let items: String = part.items.iter().map(item).collect();
    let list = match &part.items[..] {
        [] => format!("<p>{}</p>\n", escape(part.empty)),
        _ => format!("<ul>\n{items}</ul>\n"),
    };
    format!("<section>\n<h2>{}</h2>\n{charts}{list}</section>\n", escape(&part.heading))
}

fn figure(chart: &crate::chart::Bars) -> String {
    format!("<figure>{}{}</figure>\n", chart.draw(WIDTH).svg(&Theme::LIGHT), chart.table().html())
}

fn item(item: &Item) -> String {
    let name = item.name.as_deref().map(escape);
    let url = item.url.as_deref().and_then(web_address);
    let name = match (name, url) {
        (Some(name), Some(url)) => format!("<strong><a href=\"{}\">{name}</a></strong>: ", escape(&url)),
        (Some(name), None) => format!("<strong>{name}</strong>: "),
        (None, _) => String::new(),
    };
    format!("<li>{name}{}</li>\n", escape(&item.text))
}
