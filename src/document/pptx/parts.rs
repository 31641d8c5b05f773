//! The parts of a presentation that are the same for every agreement: theme, master, one layout, properties.

pub(super) const NAMESPACES: &str = "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" \
    xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\" \
    xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\"";

pub(super) const APP: &str = "<Properties \
    xmlns=\"http://schemas.openxmlformats.org/officeDocument/2006/extended-properties\"><Application>leadpact</Application>\
    </Properties>";

pub(super) const PRESENTATION_PROPERTIES: &str =
    "<p:presentationPr xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\"/>";

pub(super) const VIEW_PROPERTIES: &str =
    "<p:viewPr xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\"/>";

/// No style of our own; the id is the one that every program knows as its default.
pub(super) const TABLE_STYLES: &str = "<a:tblStyleLst xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" \
    def=\"{5C22544A-7EE6-4342-B048-85BDC9FD1C3A}\"/>";

/// Colours and fonts, and the three formats of each kind that a theme must have.
pub(super) const THEME: &str = "<a:theme xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" name=\"leadpact\">\
    <a:themeElements><a:clrScheme name=\"leadpact\"><a:dk1><a:srgbClr val=\"1A1A1A\"/></a:dk1><a:lt1><a:srgbClr \
    val=\"FFFFFF\"/></a:lt1><a:dk2><a:srgbClr val=\"12304F\"/></a:dk2><a:lt2><a:srgbClr val=\"E6EEF5\"/></a:lt2><a:accent1>\
    <a:srgbClr val=\"0072B2\"/></a:accent1><a:accent2><a:srgbClr val=\"D55E00\"/></a:accent2><a:accent3><a:srgbClr \
    val=\"009E73\"/></a:accent3><a:accent4><a:srgbClr val=\"56B4E9\"/></a:accent4><a:accent5><a:srgbClr val=\"E69F00\"/>\
    </a:accent5><a:accent6><a:srgbClr val=\"CC79A7\"/></a:accent6><a:hlink><a:srgbClr val=\"0072B2\"/></a:hlink><a:folHlink>\
    <a:srgbClr val=\"595959\"/></a:folHlink></a:clrScheme><a:fontScheme name=\"leadpact\"><a:majorFont><a:latin \
    typeface=\"Arial\"/><a:ea typeface=\"\"/><a:cs typeface=\"\"/></a:majorFont><a:minorFont><a:latin typeface=\"Arial\"/>\
    <a:ea typeface=\"\"/><a:cs typeface=\"\"/></a:minorFont></a:fontScheme><a:fmtScheme name=\"leadpact\"><a:fillStyleLst>\
    <a:solidFill><a:schemeClr val=\"phClr\"/></a:solidFill><a:solidFill><a:schemeClr val=\"phClr\"/></a:solidFill>\
    <a:solidFill><a:schemeClr val=\"phClr\"/></a:solidFill></a:fillStyleLst><a:lnStyleLst><a:ln w=\"6350\"><a:solidFill>\
    <a:schemeClr val=\"phClr\"/></a:solidFill></a:ln><a:ln w=\"12700\"><a:solidFill><a:schemeClr val=\"phClr\"/>\
    </a:solidFill></a:ln><a:ln w=\"19050\"><a:solidFill><a:schemeClr val=\"phClr\"/></a:solidFill></a:ln></a:lnStyleLst>\
    <a:effectStyleLst><a:effectStyle><a:effectLst/></a:effectStyle><a:effectStyle><a:effectLst/></a:effectStyle>\
    <a:effectStyle><a:effectLst/></a:effectStyle></a:effectStyleLst><a:bgFillStyleLst><a:solidFill><a:schemeClr \
    val=\"phClr\"/></a:solidFill><a:solidFill><a:schemeClr val=\"phClr\"/></a:solidFill><a:solidFill><a:schemeClr \
    val=\"phClr\"/></a:solidFill></a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>";

const TREE: &str = "<p:nvGrpSpPr><p:cNvPr id=\"1\" name=\"\"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>";

/// Where titles stand unless a slide says otherwise.
const TITLE: &str = "<p:sp><p:nvSpPr><p:cNvPr id=\"2\" name=\"Title\"/><p:cNvSpPr><a:spLocks noGrp=\"1\"/></p:cNvSpPr><p:nvPr>\
    <p:ph type=\"title\"/></p:nvPr></p:nvSpPr><p:spPr><a:xfrm><a:off x=\"508000\" y=\"355600\"/><a:ext cx=\"11176000\" \
    cy=\"381000\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></p:spPr><p:txBody><a:bodyPr lIns=\"0\" \
    tIns=\"0\" rIns=\"0\" bIns=\"0\"><a:noAutofit/></a:bodyPr><a:lstStyle/><a:p><a:r><a:rPr lang=\"en-US\"/>\
    <a:t>Title</a:t></a:r></a:p></p:txBody></p:sp>";

pub(super) fn master() -> String {
    format!(
        "<p:sldMaster {NAMESPACES}><p:cSld><p:bg><p:bgPr><a:solidFill><a:schemeClr val=\"bg1\"/></a:solidFill>\
         <a:effectLst/></p:bgPr></p:bg><p:spTree>{TREE}{TITLE}</p:spTree></p:cSld><p:clrMap bg1=\"lt1\" tx1=\"dk1\" \
         bg2=\"lt2\" tx2=\"dk2\" accent1=\"accent1\" accent2=\"accent2\" accent3=\"accent3\" accent4=\"accent4\" \
         accent5=\"accent5\" accent6=\"accent6\" hlink=\"hlink\" folHlink=\"folHlink\"/><p:sldLayoutIdLst><p:sldLayoutId \
         id=\"2147483649\" r:id=\"rId1\"/></p:sldLayoutIdLst><p:txStyles><p:titleStyle>{}</p:titleStyle><p:bodyStyle>{}\
         </p:bodyStyle><p:otherStyle>{}</p:otherStyle></p:txStyles></p:sldMaster>",
        level("tx2", "+mj-lt", 2400),
        level("tx1", "+mn-lt", 1200),
        level("tx1", "+mn-lt", 1200)
    )
}

fn level(color: &str, font: &str, size: u32) -> String {
    format!(
        "<a:lvl1pPr algn=\"l\"><a:buNone/><a:defRPr sz=\"{size}\"><a:solidFill><a:schemeClr val=\"{color}\"/></a:solidFill>\
         <a:latin typeface=\"{font}\"/></a:defRPr></a:lvl1pPr>"
    )
}

pub(super) fn layout() -> String {
    format!(
        "<p:sldLayout {NAMESPACES} type=\"titleOnly\" preserve=\"1\"><p:cSld name=\"Title only\"><p:spTree>{TREE}{TITLE}\
         </p:spTree></p:cSld><p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr></p:sldLayout>"
    )
}
