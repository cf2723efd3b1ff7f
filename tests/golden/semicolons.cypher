// A semicolon in a comment; ends nothing.
CREATE (:Note {text: 'one; two'}); // trailing; comment
CREATE (:Note {text: "three; 'four'; five"}); CREATE (:`odd; label`);
CREATE (:Note {text: 'it\'s; escaped'}) /* a block; comment
over two; lines */ ;
CREATE (:Note {text: "a backslash at the end \\"}); CREATE (:`with `` ; backtick`);
;;
/* only a comment; */ ;
CREATE (:Note {text: 'a string; over
two lines; // and no comment /* at all'});
RETURN 1 / 2 AS half; RETURN 'http://example.org/;x' AS url;
