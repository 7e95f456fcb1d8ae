data_callback([
        {
            "title":"生猪期货反弹 松山养殖户：出栏不急了",
            "digest":"10月22日，生猪期货主力合约收涨2.3%。",
            "docurl":"https://www.163.com/money/article/KC7D2M5R00259BVP.html",
            "commenturl":"https://comment.tie.163.com/KC7D2M5R00259BVP.html",
            "tienum":41,
            "tlastid":"<a href='https://money.163.com/'>财经</a>",
            "tlink":"https://www.163.com/money/article/KC7D2M5R00259BVP.html",
            "label":"期货",
            "keywords":[{"akey_link":"/keywords/7/1/751f732a/1.html","keyname":"生猪"},{"akey_link":"/keywords/6/1/671f8d27/1.html","keyname":"期货"}],
            "time":"10/22/2026 17:12:09",
            "newstype":"article",
            "imgurl":"https://cms-bucket.ws.126.net/2026/1022/a.jpg",
            "add1":"","add2":"","add3":""
        },
        {
            "title":"三分钟看懂碳酸锂",
            "digest":"",
            "docurl":"https://www.163.com/v/video/VKC6T0A9B.html",
            "label":"视频",
            "keywords":[],
            "time":"10/22/2026 16:40:55",
            "newstype":"video"
        },
        {
            "title":"直播：河湾论坛第二日",
            "digest":"",
            "docurl":"https://live.163.com/room/301284.html",
            "label":"",
            "keywords":[],
            "time":"10/22/2026 09:00:00",
            "newstype":"live"
        },
        {
            "title":"“县城年轻人”为什么爱买黄金？",
            "digest":"",
            "docurl":"https://www.163.com/dy/article/KC6Q8E1P0519D4UH.html?f=post2020_dy_recommends",
            "label":"其它",
            "keywords":[],
            "time":"10/22/2026 08:31:40",
            "newstype":"article"
        }
])
