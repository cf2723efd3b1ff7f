:use neo4j
:param x => 'it;s
CREATE (:Note {text: ':use neo4j'});
  :begin
CREATE (:Note {text: 'a'})
:Person;
:COMMIT;
CREATE (:B);
:anything at all