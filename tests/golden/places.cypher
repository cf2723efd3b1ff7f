	CREATE (:Ä {text: '😀'}); CREATE (:B);

   /* é */ CREATE (:C)
;// a lone CRCREATE (:D);
