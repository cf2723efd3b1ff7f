CREATE (:Note {text: \u0027one; two\u0027})\u003b CREATE (:Note {text: 'a\\u0027; b'});
CREATE \u0049NDEX by_id FOR (n:Note) ON (n.id);
// a comment that ends here\u000aCREATE (:Shown);
CREATE (:`a\u0060 {text: 'é \ud83d\ude00; \u0024x'}); RETURN 1 /* \u002a\u002f ; RETURN 2;
