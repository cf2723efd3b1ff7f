/* CREATE (:A); */

/**/
// CREATE (:B);
