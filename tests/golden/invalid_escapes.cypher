// Windows: C:\users is left out with its comment.
CREATE (:File {path: 'C:\users'}); // C:\users
CREATE (:File {path: 'C:\\users'}) // D:\u12
;
