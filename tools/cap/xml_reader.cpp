#include "tools/cap/xml_reader.hpp"

#include "engine/core/c_handle.hpp"

#include <optional>

#include <expat.h>

namespace tocsin {
namespace {

// Neither a URI nor an XML name can have one.
constexpr char name_separator = '\n';

class builder {
public:
    builder(XML_Parser parser, const xml_limits& limits) : parser_(parser), limits_(limits) {
        XML_SetUserData(parser, this);
        XML_SetElementHandler(parser, begin, end);
        XML_SetCharacterDataHandler(parser, text);
        XML_SetStartDoctypeDeclHandler(parser, doctype);
    }

    [[nodiscard]] const std::optional<refusal>& problem() const noexcept { return problem_; }
    [[nodiscard]] xml_element take() { return std::move(root_); }

private:
    static void begin(void* self, const XML_Char* name, const XML_Char** /*attributes*/) noexcept {
        static_cast<builder*>(self)->open(name);
    }
    static void end(void* self, const XML_Char* /*name*/) noexcept {
        // Of an element that was refused, expat may still report the end.
        if (auto& path = static_cast<builder*>(self)->path_; !path.empty()) {
            path.pop_back();
        }
    }
    static void text(void* self, const XML_Char* bytes, int size) noexcept {
        auto& path = static_cast<builder*>(self)->path_;
        if (!path.empty()) {
            path.back()->text.append(bytes, static_cast<std::size_t>(size));
        }
    }
    static void doctype(
        void* self, const XML_Char* /*name*/, const XML_Char* /*system*/, const XML_Char* /*known*/,
        int /*internal*/) noexcept {
        static_cast<builder*>(self)->stop(
            "doctype",
            "a DOCTYPE is not accepted: an alert needs none, and what it declares could be anything");
    }

    void open(std::string_view name) {
        if (path_.size() == limits_.depth || ++elements_ > limits_.elements) {
            stop("too_large", "the document has more, or deeper, elements than an alert can need");
            return;
        }
        xml_element& element = path_.empty() ? root_ : path_.back()->children.emplace_back();
        const std::size_t cut = name.find(name_separator);
        element.name_space = cut == std::string_view::npos ? std::string() : std::string(name.substr(0, cut));
        element.name = std::string(cut == std::string_view::npos ? name : name.substr(cut + 1));
        element.line = static_cast<std::size_t>(XML_GetCurrentLineNumber(parser_));
        // A parent gets no further children while this one is open, so the pointer stays good.
        path_.push_back(&element);
    }

    void stop(std::string code, const std::string& why) {
        if (!problem_) {
            problem_ = refusal{
                std::move(code), "line " + std::to_string(XML_GetCurrentLineNumber(parser_)) + ": " + why};
        }
        XML_StopParser(parser_, XML_FALSE);
    }

    XML_Parser parser_;
    const xml_limits& limits_;
    xml_element root_;
    std::vector<xml_element*> path_;
    std::size_t elements_ = 0;
    std::optional<refusal> problem_;
};

}  // namespace

parsed<xml_element> read_xml(std::string_view document, const xml_limits& limits) {
    if (document.size() > limits.bytes) {
        return refusal{
            "too_large", "line 1: the document has " + std::to_string(document.size()) + " bytes; " +
                             std::to_string(limits.bytes) + " are read"};
    }
    const c_handle<XML_ParserStruct, XML_ParserFree> parser(XML_ParserCreateNS(nullptr, name_separator));
    builder tree(parser.get(), limits);
    const XML_Status status =
        XML_Parse(parser.get(), document.data(), static_cast<int>(document.size()), XML_TRUE);
    if (tree.problem()) {
        return *tree.problem();
    }
    if (status != XML_STATUS_OK) {
        return refusal{
            "not_xml", "line " + std::to_string(XML_GetCurrentLineNumber(parser.get())) +
                           ": this is not XML: " + XML_ErrorString(XML_GetErrorCode(parser.get()))};
    }
    return tree.take();
}

}  // namespace tocsin
