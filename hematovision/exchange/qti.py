"""QTI 1.2 in the content package that Canvas takes ("QTI .zip file"), for its classic quizzes.

    imsmanifest.xml
    <set>/<set>.xml                the questions
    <set>/assessment_meta.xml      Canvas: title, time, attempts, dates
    images/<16 hex>.png

A student sees the material and the choices. The key is the answer in `resprocessing`, which stays on the server; the
note and a second key are item feedback, which Canvas shows with the result, where the policy shows any.
"""

from datetime import datetime
from html import escape
from xml.etree.ElementTree import Element, SubElement, tostring

from hematovision.cells import display_name
from hematovision.exchange.archive import pack
from hematovision.exchange.bundle import ALT, PROMPT, Item, SetBundle
from hematovision.quiz.policy import Policy
from hematovision.quiz.sets import QuizSet

_QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
_PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
_CANVAS = "http://canvas.instructure.com/xsd/cccv1p0"
_META_TYPE = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
_FILES = "%24IMS-CC-FILEBASE%24"
"""What stands for the package's files in the address of a picture."""
_FEEDBACK = "general_fb"


def write(bundle: SetBundle) -> bytes:
    """The zip."""
    # An identifier of XML begins with a letter.
    ident = f"set-{bundle.quiz_set.id}"
    files = {
        "imsmanifest.xml": _xml(_manifest(bundle, ident)),
        f"{ident}/{ident}.xml": _xml(_assessment(bundle, ident)),
        f"{ident}/assessment_meta.xml": _xml(_meta(bundle.quiz_set, ident, len(bundle.items))),
    }
    return pack(files | {f"images/{item.name}.png": item.picture for item in bundle.items})


def _xml(root: Element) -> bytes:
    return tostring(root, encoding="utf-8", xml_declaration=True)


def _manifest(bundle: SetBundle, ident: str) -> Element:
    manifest = Element("manifest", identifier=f"{ident}-manifest", xmlns=_PACKAGE)
    about = SubElement(manifest, "metadata")
    SubElement(about, "schema").text = "IMS Content"
    SubElement(about, "schemaversion").text = "1.1.3"
    SubElement(manifest, "organizations")
    resources = SubElement(manifest, "resources")
    questions = SubElement(resources, "resource", identifier=ident, type="imsqti_xmlv1p2")
    SubElement(questions, "file", href=f"{ident}/{ident}.xml")
    SubElement(questions, "dependency", identifierref=f"{ident}-meta")
    meta = f"{ident}/assessment_meta.xml"
    resource = SubElement(resources, "resource", identifier=f"{ident}-meta", type=_META_TYPE, href=meta)
    SubElement(resource, "file", href=meta)
    for item in bundle.items:
        href = f"images/{item.name}.png"
        resource = SubElement(resources, "resource", identifier=f"image-{item.name}", type="webcontent", href=href)
        SubElement(resource, "file", href=href)
    return manifest


def _assessment(bundle: SetBundle, ident: str) -> Element:
    root = Element("questestinterop", xmlns=_QTI)
    assessment = SubElement(root, "assessment", ident=ident, title=bundle.quiz_set.title)
    section = SubElement(assessment, "section", ident="root_section")
    for item in bundle.items:
        _item(section, item, ident)
    return root


def _item(section: Element, item: Item, set_ident: str) -> None:
    # Numbers, for an answer's identifier is sent to the student.
    idents = {choice: f"{item.number}{place:02}" for place, choice in enumerate(item.choices, start=1)}
    element = SubElement(section, "item", ident=f"{set_ident}-{item.name}", title=f"Cell {item.number}")
    about = SubElement(SubElement(element, "itemmetadata"), "qtimetadata")
    for label, entry in (
        ("question_type", "multiple_choice_question"),
        ("points_possible", "1"),
        ("original_answer_ids", ",".join(idents.values())),
    ):
        entries = SubElement(about, "qtimetadatafield")
        SubElement(entries, "fieldlabel").text = label
        SubElement(entries, "fieldentry").text = entry

    shown = SubElement(element, "presentation")
    _material(shown, f'<p>{PROMPT}</p><p><img src="{_FILES}/images/{item.name}.png" alt="{ALT}"></p>')
    asked = SubElement(shown, "response_lid", ident="response1", rcardinality="Single")
    choices = SubElement(asked, "render_choice")
    for choice, ident in idents.items():
        _material(SubElement(choices, "response_label", ident=ident), display_name(choice), "text/plain")

    graded = SubElement(element, "resprocessing")
    SubElement(
        SubElement(graded, "outcomes"), "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal"
    )
    if item.remark:
        always = SubElement(graded, "respcondition", {"continue": "Yes"})
        SubElement(SubElement(always, "conditionvar"), "other")
        SubElement(always, "displayfeedback", feedbacktype="Response", linkrefid=_FEEDBACK)
    right = SubElement(graded, "respcondition", {"continue": "No"})
    SubElement(SubElement(right, "conditionvar"), "varequal", respident="response1").text = idents[item.key]
    SubElement(right, "setvar", action="Set", varname="SCORE").text = "100"
    if item.remark:
        flow = SubElement(SubElement(element, "itemfeedback", ident=_FEEDBACK), "flow_mat")
        _material(flow, "<p>" + escape(item.remark).replace("\n", "<br>") + "</p>")


def _material(parent: Element, text: str, kind: str = "text/html") -> None:
    SubElement(SubElement(parent, "material"), "mattext", texttype=kind).text = text


def _meta(quiz_set: QuizSet, ident: str, count: int) -> Element:
    policy = quiz_set.policy
    quiz = Element("quiz", identifier=ident, xmlns=_CANVAS)
    values = {
        "title": quiz_set.title,
        # Empty, for Canvas asks for one.
        "description": "",
        "shuffle_answers": "true",
        "scoring_policy": "keep_highest",
        "quiz_type": "assignment",
        "points_possible": f"{count:.1f}",
        "show_correct_answers": str(policy.feedback != "never").lower(),
        "allowed_attempts": str(policy.attempts or -1),
        "one_question_at_a_time": "true",
        "available": "false",
    } | _only_where_set(policy)
    for name, value in values.items():
        SubElement(quiz, name).text = value
    return quiz


def _only_where_set(policy: Policy) -> dict[str, str]:
    """Canvas hides the answers of a student, with all feedback, for good: of our kinds only "never" says so."""
    found = {"hide_results": "always"} if policy.feedback == "never" else {}
    if policy.minutes:
        found["time_limit"] = str(policy.minutes)
    for name, time in (("unlock_at", policy.opens_at), ("lock_at", policy.closes_at)):
        if isinstance(time, datetime):
            found[name] = f"{time:%Y-%m-%dT%H:%M:%S}Z"
    return found
